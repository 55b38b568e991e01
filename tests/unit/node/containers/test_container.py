# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What is written down of a container."""

from pathlib import Path

import pytest

from pinwheel.node.containers.container import Container, Kind, configured, read_container
from pinwheel.node.paths import Paths

ADMIN = Container(Kind.HOST, "admin", "oci:/a", superpowered=True, user_data="eA==", environment={"A": "b"})
RAID = Container(Kind.BOOTSTRAP, "admin", "oci:/r", essential=True, once=True)


@pytest.mark.parametrize("container", [ADMIN, RAID])
def test_what_is_written_down_is_read_again(container, tmp_path: Path):
    paths = Paths(tmp_path)
    file = paths.at(container.file)
    file.parent.mkdir(parents=True)
    file.write_bytes(container.to_json())
    assert read_container(paths, container.id) == container
    assert configured(paths, container.kind) == [container]


def test_the_two_kinds_never_meet():
    assert (ADMIN.id, RAID.id) == ("host.admin", "boot.admin")
    assert (ADMIN.unit, RAID.unit) == ("host-container@admin.service", "bootstrap-container@admin.service")
    assert ADMIN.file != RAID.file


@pytest.mark.parametrize("identifier", ["", "host", "other.admin", "host.nobody", "boot.admin"])
def test_what_is_not_configured_is_not_there(identifier, tmp_path: Path):
    with pytest.raises((OSError, ValueError)):
        read_container(Paths(tmp_path), identifier)
