# SPDX-License-Identifier: Apache-2.0 OR MIT
"""How the node itself reaches registries, for the images of host containers and bootstrap containers."""

import base64

from pinwheel.node.containers.access import Access
from pinwheel.node.containers.places import REGISTRIES
from pinwheel.node.files import RenderedFile
from pinwheel.node.services.engine import SECRET_MODE
from pinwheel.node.services.service import Files
from pinwheel.settings.registry import Credentials
from pinwheel.settings.secret import Secret
from pinwheel.settings.tree import Settings


def render(settings: Settings) -> Files:
    """Give one file, which is read when an image is fetched: nothing restarts for it."""
    registry, network = settings.container_registry, settings.network
    access = Access(
        mirrors={mirror.registry: mirror.endpoint for mirror in registry.mirrors},
        logins={entry.registry: _login(entry) for entry in registry.credentials},
        http_proxy=_shown(network.http_proxy),
        https_proxy=_shown(network.https_proxy),
        no_proxy=network.no_proxy,
        insecure=settings.docker.insecure_registries,
    )
    return {REGISTRIES: RenderedFile(access.to_json(), SECRET_MODE)} if any(access) else {}


def _login(entry: Credentials) -> list[str]:
    """Give user, password and refresh token (`pinwheel.node.containers.access.Login`)."""
    if entry.auth:
        user, _, password = base64.b64decode(_shown(entry.auth)).decode(errors="replace").partition(":")
        return [user, password, ""]
    return [entry.username or "", _shown(entry.password), _shown(entry.identitytoken)]


def _shown(secret: Secret | None) -> str:
    return secret.get_secret_value() if secret else ""
