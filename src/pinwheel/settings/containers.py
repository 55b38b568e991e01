# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The settings of what the node itself runs: host containers, bootstrap containers, bootstrap commands."""

from __future__ import annotations  # see `pinwheel.settings.model`: evaluated when a document has the table

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta, field

from pinwheel.settings.model import Check, Conflict, Namespace, setting
from pinwheel.settings.types import Image, SecretBase64

Mode = Literal["off", "once", "always"]

_SOURCE = "an image, with a tag or a digest; or `oci:` and the path of an OCI archive on the node"
_USER_DATA = "encoded in base64"


class HostContainer(Namespace, frozen=True):
    """A container beside the workload's engine, for those who look after the node."""

    source: Annotated[
        Image | None, setting("The image.", example="registry.example.com/tools/admin:1.2", allowed=_SOURCE)
    ] = None
    enabled: Annotated[bool, setting("Whether it runs. It needs `source`.", example=False)] = False
    superpowered: Annotated[
        bool, setting("Whether it may do all that root may, and sees the node's processes and files.", example=True)
    ] = False
    user_data: Annotated[
        SecretBase64 | None,
        setting(
            "What it finds in `/.bottlerocket/host-containers/current/user-data`.",
            example="c3NoLWtleQ==",
            allowed=_USER_DATA,
        ),
    ] = None

    def conflicts(self) -> Iterator[Conflict]:
        """See `Namespace.conflicts`: nothing runs without an image."""
        if self.enabled and self.source is None:
            yield "", "enabled, but without source"


class BootstrapContainer(Namespace, frozen=True):
    """A container that runs at boot, to its end, before the workload's engine starts."""

    source: Annotated[
        Image | None, setting("The image.", example="registry.example.com/tools/raid:1.2", allowed=_SOURCE)
    ] = None
    mode: Annotated[
        Mode, setting("When it runs. After a good run, `once` becomes `off`. It needs `source`.", example="off")
    ] = "off"
    user_data: Annotated[
        SecretBase64 | None,
        setting(
            "What it finds in `/.bottlerocket/bootstrap-containers/current/user-data`.",
            example="bWtmcw==",
            allowed=_USER_DATA,
        ),
    ] = None
    essential: Annotated[bool, setting("Whether the engine does not start when it fails.", example=True)] = False

    def conflicts(self) -> Iterator[Conflict]:
        """See `Namespace.conflicts`: nothing runs without an image."""
        if self.mode != "off" and self.source is None:
            yield "", f"mode is {self.mode}, but without source"


def _apiclient_call(words: list[str]) -> list[str]:
    if words[0] != "apiclient" or "exec" in words[1:2]:
        raise ValueError('must be "apiclient" and its arguments; "exec" is not among them')
    return words


class BootstrapCommands(Namespace, frozen=True):
    """Calls of `apiclient` that run at boot, before the workload's engine starts."""

    commands: Annotated[
        list[Annotated[list[str], Meta(min_length=1), Check(_apiclient_call)]],
        setting(
            "The calls, in this order. They end with the first that fails.",
            example=[["apiclient", "set", "motd=hello"]],
            allowed="lists of a program and its arguments; the program is `apiclient`",
        ),
    ] = field(default_factory=list)
    mode: Annotated[Mode, setting("When they run. After a good run, `once` becomes `off`.", example="always")] = "off"
    essential: Annotated[bool, setting("Whether the engine does not start when one fails.", example=True)] = False
