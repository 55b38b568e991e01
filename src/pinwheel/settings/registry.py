# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The settings of the registries that images are pulled from."""

from __future__ import annotations  # see `pinwheel.settings.model`: evaluated when a document has the table

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, field

from pinwheel.settings.model import Check, Conflict, Namespace, setting
from pinwheel.settings.secret import Secret
from pinwheel.settings.types import RegistryUrl, SecretBase64, is_host_port


def _mirrored_by_the_engine(registry: str) -> str:
    if registry != "docker.io":
        raise ValueError('the engine can mirror "docker.io" only, not')
    return registry


def _registry(text: str) -> str:
    if not is_host_port(text):
        raise ValueError("not a registry such as registry.example.com:5000 (no https://)")
    return text


class Mirror(Namespace, frozen=True):
    """A registry and the places that hold copies of what is in it."""

    registry: Annotated[
        str,
        Check(_mirrored_by_the_engine),
        setting("The registry.", example="docker.io", allowed="`docker.io`"),
    ]
    endpoint: Annotated[
        list[RegistryUrl],
        Meta(min_length=1),
        setting(
            "The mirrors, tried in this order.",
            example=["https://mirror.example.com"],
            allowed="HTTP or HTTPS addresses without a path",
        ),
    ]


class Credentials(Namespace, frozen=True):
    """How the node logs in to a registry: by `username` and `password`, by `auth`, or by `identitytoken`."""

    registry: Annotated[
        str,
        Check(_registry),
        setting("The registry.", example="registry.example.com", allowed="a host name or IP address, and a port"),
    ]
    username: Annotated[str | None, setting("The user's name.", example="puller", allowed="a text")] = None
    password: Annotated[Secret | None, setting("The user's password.", example="pa55word", allowed="a text")] = None
    auth: Annotated[
        SecretBase64 | None,
        setting(
            "Name and password, as in Docker's config.json.",
            example="cHVsbGVyOnBhNTV3b3Jk",
            allowed="`NAME:PASSWORD`, encoded in base64",
        ),
    ] = None
    identitytoken: Annotated[
        Secret | None,
        setting("A refresh token of the registry's login service (OAuth 2).", example="t0ken", allowed="a text"),
    ] = None

    def conflicts(self) -> Iterator[Conflict]:
        """See `Namespace.conflicts`: one way to log in."""
        if (self.username is None) != (self.password is None):
            yield "", "username and password need each other"
        if sum(value is not None for value in (self.password, self.auth, self.identitytoken)) != 1:
            yield "", "needs either username and password, or auth, or identitytoken"


class ContainerRegistry(Namespace, frozen=True):
    """Where images are pulled from."""

    mirrors: Annotated[
        list[Mirror],
        setting(
            "Mirrors of registries, tried in this order before the registry itself. "
            "The engine of this variant can mirror `docker.io` only.",
            example=[{"registry": "docker.io", "endpoint": ["https://mirror.example.com"]}],
            allowed="tables of `registry` and `endpoint`",
        ),
    ] = field(default_factory=list)
    credentials: Annotated[
        list[Credentials],
        setting(
            "How the node logs in to registries when it pulls by itself: the images of host containers and bootstrap "
            "containers. Clients of Docker Engine send their own.",
            example=[{"registry": "registry.example.com", "username": "puller", "password": "pa55word"}],
            allowed="tables of `registry` and `username` with `password`, or `auth`, or `identitytoken`",
        ),
    ] = field(default_factory=list)
