# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A node's file system in a temporary directory, and an engine on its socket."""

import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.node_root import Engine, Ping, program, put

from pinwheel.node import paths as places
from pinwheel.node.paths import Paths


@pytest.fixture
def root() -> Iterator[Paths]:
    """Give a root with what a booted node has. Short, because a socket's path may have 107 bytes at most."""
    with tempfile.TemporaryDirectory(prefix="node-") as directory:
        node = Paths(Path(directory))
        put(node, places.OS_RELEASE, 'ID=pinwheel\nVERSION_ID=0.1.0\nVARIANT_ID="docker"\n')
        put(node, places.COMMAND_LINE, f"quiet roothash={'ab' * 32}\n")
        put(node, f"{places.ROOT_PARTITIONS}/vda2/uevent", "DEVNAME=vda2\nPARTN=2\nPARTNAME=pinwheel-root-a\n")
        put(node, f"{places.ROOT_PARTITIONS}/vda3/uevent", "DEVNAME=vda3\nPARTN=3\nPARTNAME=pinwheel-verity-a\n")
        put(node, places.BOOT_DISK, "")
        put(node, places.MOUNTS, "/dev/dm-0 / erofs ro 0 0\n/dev/vda6 /var ext4 rw 0 0\n")
        put(node, places.UPTIME, "12.34 40.00\n")
        put(node, places.CONSOLE, "")
        put(node, places.SECURE_BOOT, b"\x06\0\0\0\x01")
        put(node, f"{places.SYSCTLS}/kernel/hostname", "localhost\n")
        put(node, f"{places.SYSCTLS}/vm/max_map_count", "65530\n")
        put(node, places.NETWORK_STATE, "OPER_STATE=routable\n")
        program(node, places.SYSTEMCTL, "echo '[]'")
        yield node


@pytest.fixture
def engine(root: Paths) -> Iterator[Engine]:
    """Give an engine that answers on the node's socket."""
    place = root.at(places.ENGINE_SOCKET)
    place.parent.mkdir(parents=True, exist_ok=True)
    with Engine(os.fspath(place), Ping) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()
