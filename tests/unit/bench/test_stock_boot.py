# SPDX-License-Identifier: Apache-2.0 OR MIT
import json
import subprocess
from typing import Any

from bench.boot.stock_boot import user_data
from bench.boot.stock_definition import FILES, LINKS, PARTITIONS, definition_hash

REFERENCE, REGISTRY = "10.0.2.2:5000/busybox:1", "10.0.2.2:5000"


def document() -> Any:
    head, _, body = user_data(REFERENCE, REGISTRY).partition("\n")
    assert head == "#cloud-config"
    return json.loads(body)


def test_the_registry_is_allowed_before_docker_starts():
    (file,) = document()["write_files"]
    assert file["path"] == "/etc/docker/daemon.json"
    assert json.loads(file["content"]) == {"insecure-registries": [REGISTRY]}


def test_every_command_is_valid_shell():
    for command in document()["runcmd"]:
        subprocess.run(["sh", "-n", "-c", command], check=True)


def test_the_first_command_is_the_first_container_on_the_console():
    first = document()["runcmd"][0]
    assert first == f"docker run --rm {REFERENCE} echo 'bench: first container' >/dev/ttyS0 2>&1"


def test_only_the_first_container_and_the_observer_start_at_once():
    later = [command.startswith("systemd-run --on-active=") for command in document()["runcmd"]]
    assert later == [False, False, True, True]


def test_the_image_is_named_by_its_definition(monkeypatch):
    before = definition_hash()
    monkeypatch.setitem(FILES, "etc/hostname", "other")
    assert definition_hash() != before


def test_links_lead_to_files_of_the_definition_or_of_the_running_system():
    assert all(target.removeprefix("/") in FILES or target.startswith("/run/") for target in LINKS.values())


def test_the_root_is_the_last_partition_so_that_it_can_grow():
    assert "CopyBlocks" in PARTITIONS[max(PARTITIONS)]
