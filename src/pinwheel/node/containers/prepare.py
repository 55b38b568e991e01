# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Before a container's unit starts it: its image is in the store, its bundle is made. `launch container-prepare`.

Which container, its unit says in the environment: an entry point of the launcher takes no arguments.
"""

import os
import sys
import time
from typing import TYPE_CHECKING

from pinwheel.node.containers import places
from pinwheel.node.containers.access import Access
from pinwheel.node.containers.bundle import images_in_use, make_bundle
from pinwheel.node.containers.container import Container, Kind, configured, read_container
from pinwheel.node.containers.http import Http, UnreachableError
from pinwheel.node.containers.image_config import ImageConfigError
from pinwheel.node.containers.oci import ImageError
from pinwheel.node.containers.pull import Images, Patience, ensure_image, image_source
from pinwheel.node.containers.reference import Reference, SourceError, parse_source
from pinwheel.node.containers.store import Store
from pinwheel.node.network import operational_state
from pinwheel.node.paths import Paths
from pinwheel.node.trust import client_context

if TYPE_CHECKING:
    from ssl import SSLContext

VARIABLE = "PINWHEEL_CONTAINER"
"""The container's id: `host.NAME` or `boot.NAME`."""
NETWORK_SECONDS = 60.0
"""How long to wait for the network at boot, before a registry is asked."""
_PAUSE = 0.2


def main() -> int:
    """Prepare the container that the environment names; say on standard error what stands against it."""
    identifier = os.environ.get(VARIABLE, "")
    try:
        prepare(Paths(), identifier)
    except (ImageError, ImageConfigError, SourceError, UnreachableError, OSError, ValueError) as error:
        print(f"{identifier}: {error}", file=sys.stderr)
        return 1
    return 0


def prepare(paths: Paths, identifier: str, patience: Patience = Patience()) -> None:
    """Prepare a container.

    Raises:
        ImageError, ImageConfigError, SourceError: the image is not to be had, or cannot be run.
        UnreachableError: the registry does not answer.
        OSError: something of the node failed; among others, no such container is configured.
    """
    container = read_container(paths, identifier)
    store = Store(paths.at(places.STORE))
    with store.in_use():
        image = ensure_image(store, container.source, lambda: _images(paths, store, container, patience))
        make_bundle(paths, store, container, image)
    clear(paths, store)


def clear(paths: Paths, store: Store) -> None:
    """Remove from the store what no container needs that is configured or runs."""
    containers = [container for kind in Kind for container in configured(paths, kind)]
    sources = {container.source for container in containers}
    for digest in store.clear(sources, images_in_use(paths), {container.id for container in containers}):
        print(f"removed an image that nobody uses: {digest}")


def _images(paths: Paths, store: Store, container: Container, patience: Patience) -> Images:
    """Give where the image comes from; for a registry, when the network is there."""
    if isinstance(parse_source(container.source), Reference):
        _wait_for_network(paths)
    print(f"fetching {container.source}", flush=True)
    access = _access(paths)

    def context() -> "SSLContext":
        return client_context(paths)

    return image_source(paths, store, container.source, access, Http(access, context), patience)


def _access(paths: Paths) -> Access:
    try:
        return Access.from_json(paths.at(places.REGISTRIES).read_bytes())
    except FileNotFoundError:
        return Access()


def _wait_for_network(paths: Paths) -> None:
    """Wait until something is routable, or for long enough: the registry may be on the node itself."""
    deadline = time.monotonic() + NETWORK_SECONDS
    while operational_state(paths) != "routable" and time.monotonic() < deadline:
        time.sleep(_PAUSE)
