# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What is to run: one host container or bootstrap container, as the settings ask for it, and how it is written down.

The rendered file of a container holds all that its settings say, so that a change of one is a change of the other.
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple, Self

from pinwheel.node.containers import places
from pinwheel.node.paths import Paths


class Kind(StrEnum):
    """The two kinds; the value is the first part of a container's id."""

    HOST = "host"
    BOOTSTRAP = "boot"

    @property
    def definitions(self) -> str:
        """The directory of the rendered files of this kind."""
        return places.HOST_DEFINITIONS if self is Kind.HOST else places.BOOTSTRAP_DEFINITIONS

    @property
    def directory(self) -> str:
        """What the containers' own directories of this kind are below, in a container and in the store."""
        return "host-containers" if self is Kind.HOST else "bootstrap-containers"


class Container(NamedTuple):
    """One container that is to run."""

    kind: Kind
    name: str
    """Letters, digits and hyphens."""
    source: str
    """See `pinwheel.node.containers.reference`."""
    superpowered: bool = False
    user_data: str = ""
    """As users write it: base64."""
    essential: bool = False
    """Of bootstrap containers: whether the engine may start only when this one went well."""
    once: bool = False
    """Of bootstrap containers: whether its mode becomes `off` when it went well."""
    environment: Mapping[str, str] = {}
    """Proxies."""

    @property
    def id(self) -> str:
        """What runc and the actuator call it. A name holds no dot, and so the two kinds never meet."""
        return f"{self.kind}.{self.name}"

    @property
    def unit(self) -> str:
        """The systemd unit that runs it."""
        return unit_name(self.kind, self.name)

    @property
    def file(self) -> str:
        """Its rendered file."""
        return f"{self.kind.definitions}{self.name}.json"

    @property
    def bundle(self) -> str:
        """The directory of its bundle while it runs."""
        return f"{places.BUNDLES}/{self.id}"

    def to_json(self) -> bytes:
        """Write it down."""
        return json.dumps(self._asdict(), indent=2).encode() + b"\n"

    @classmethod
    def from_json(cls, text: bytes | str) -> Self:
        """Read what `to_json` wrote."""
        values = json.loads(text)
        return cls(**values | {"kind": Kind(values["kind"])})


def unit_name(kind: Kind, name: str) -> str:
    """Give the unit of a container."""
    return f"{'host' if kind is Kind.HOST else 'bootstrap'}-container@{name}.service"


def read_container(paths: Paths, identifier: str) -> Container:
    """Read the rendered file of a container by the container's id.

    Raises:
        OSError: no such container is configured.
    """
    kind, _, name = identifier.partition(".")
    return Container.from_json(paths.at(f"{Kind(kind).definitions}{name}.json").read_bytes())


def configured(paths: Paths, kind: Kind) -> list[Container]:
    """Give all containers of a kind that have a rendered file, by name."""
    files = sorted(paths.at(kind.definitions).glob("*.json"))
    return [Container.from_json(file.read_bytes()) for file in files]
