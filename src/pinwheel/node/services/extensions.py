# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Settings and consumers that a variant's own Python packages add: docs/variants.md, "Settings of your own".

The build writes the names of the packages into the verified image. Each package has, in its `__init__.py`:

    NAMESPACES: Mapping[str, type[Namespace]]    its tables of settings, by Python name
    SERVICES: tuple[Service, ...]                what reads them
"""

from collections.abc import Mapping
from importlib import import_module
from typing import NamedTuple

from pinwheel.node.paths import EXTENSIONS, Paths
from pinwheel.node.services.service import Service, value_at
from pinwheel.node.services.table import SERVICES
from pinwheel.settings.model import Namespace, extended
from pinwheel.settings.tree import Settings


class Configurable(NamedTuple):
    """What a node can be told, and who is told."""

    model: type[Settings]
    services: tuple[Service, ...]


def configurable(paths: Paths) -> Configurable:
    """Give the settings and consumers of this image: those of this system, and what its variant adds.

    Raises:
        ExtensionError: the image was built with packages that do not fit; the build would have failed, too.
    """
    names = _names(paths)
    return with_extensions(names) if names else Configurable(Settings, SERVICES)


class ExtensionError(Exception):
    """A package of a variant is not what it must be; the words are for who writes it."""


def with_extensions(names: list[str]) -> Configurable:
    """Import packages and add what they have; the build calls this too.

    Raises:
        ExtensionError: one cannot be imported, lacks something, or takes a name or a file that is another's.
    """
    result = Configurable(Settings, SERVICES)
    for name in names:
        result = _joined(result, name, *_parts(name))
    return result


def _names(paths: Paths) -> list[str]:
    text = paths.text(EXTENSIONS)
    if not text:
        return []
    import json

    return list(json.loads(text)["packages"])


def _parts(name: str) -> tuple[Mapping[str, type[Namespace]], tuple[Service, ...]]:
    try:
        package = import_module(name)
        return package.NAMESPACES, tuple(package.SERVICES)
    except (ImportError, AttributeError) as error:
        raise ExtensionError(f"{name}: {error}") from error


def _joined(
    base: Configurable, name: str, namespaces: Mapping[str, type[Namespace]], services: tuple[Service, ...]
) -> Configurable:
    try:
        result = Configurable(extended(base.model, namespaces), (*base.services, *services))
        for service in services:
            _check_reads(result.model, service)
    except (TypeError, ValueError) as error:
        raise ExtensionError(f"{name}: {error}") from error
    _check_apart(name, base.services, services)
    return result


def _check_reads(model: type[Settings], service: Service) -> None:
    for prefix in service.settings:
        try:
            value_at(model(), prefix)
        except AttributeError:
            raise ValueError(f"the service {service.name} reads {prefix}, which is no setting") from None


def _check_apart(name: str, others: tuple[Service, ...], services: tuple[Service, ...]) -> None:
    """Fail where a name or a file is another's already, or a file is not where generated files are."""
    names = {service.name for service in others}
    files = [path for service in others for path in service.owned]
    for service in services:
        if service.name in names:
            raise ExtensionError(f"{name}: there is a service {service.name} already")
        for path in service.owned:
            if not path.startswith("/run/") or any(_overlap(path, taken) for taken in files):
                raise ExtensionError(f"{name}: {path} is another service's, or not below /run")
        names.add(service.name)
        files += service.owned


def _overlap(path: str, other: str) -> bool:
    return path == other or any(a.endswith("/") and b.startswith(a) for a, b in ((path, other), (other, path)))
