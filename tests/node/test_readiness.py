# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Ready means: data, engine and network are there, no unit has failed."""

import json
import socket

from tests.support.node_root import program, put

from pinwheel.node import readiness
from pinwheel.node.paths import DATA_IS_ENCRYPTED, DATA_PARTITIONS, ENGINE_SOCKET, MOUNTS, NETWORK_STATE, SYSTEMCTL
from pinwheel.node.readiness import engine_answers, full_check


def test_node_on_which_all_is_well_is_ready(root, engine):
    assert full_check(root).ready


def test_data_partition_that_is_not_mounted_is_a_reason(root, engine):
    put(root, MOUNTS, "/dev/dm-0 / erofs ro 0 0\ntmpfs /var/tmp tmpfs rw 0 0\n")
    assert full_check(root).reasons == ("no data partition is mounted on /var: is the disk too small for one?",)


def test_encrypted_data_partition_that_does_not_open_is_another_reason(root, engine):
    put(root, MOUNTS, "/dev/dm-0 / erofs ro 0 0\n")
    put(root, DATA_IS_ENCRYPTED, "")
    put(root, DATA_PARTITIONS[0], "")
    (reason,) = full_check(root).reasons
    assert "needs the TPM" in reason


def test_encrypted_data_partition_for_which_there_is_no_room_is_a_third_one(root, engine):
    put(root, MOUNTS, "/dev/dm-0 / erofs ro 0 0\n")
    put(root, DATA_IS_ENCRYPTED, "")
    (reason,) = full_check(root).reasons
    assert "is the disk too small" in reason


def test_engine_that_is_not_there_is_a_reason(root):
    assert full_check(root).reasons == ("the container engine does not answer on /run/docker.sock",)


def test_engine_that_answers_with_an_error_is_a_reason(root, engine):
    engine.status = 500
    assert not full_check(root).ready


def test_engine_that_takes_the_connection_and_says_nothing_is_a_reason(root, monkeypatch):
    monkeypatch.setattr(readiness, "PING_SECONDS", 0.2)
    with socket.socket(socket.AF_UNIX) as silent:
        root.at("/run").mkdir(exist_ok=True)
        silent.bind(str(root.at(ENGINE_SOCKET)))
        silent.listen()
        assert not engine_answers(root)


def test_network_that_is_not_routable_is_a_reason(root, engine):
    put(root, NETWORK_STATE, "OPER_STATE=no-carrier\n")
    assert full_check(root).reasons == ("the network is not up (its state is no-carrier)",)


def test_failed_units_are_named(root, engine):
    units = [{"unit": "a.service", "active": "failed"}, {"unit": "b.mount", "active": "failed"}]
    program(root, SYSTEMCTL, f"test \"$*\" = 'list-units --failed --output=json' && echo '{json.dumps(units)}'")
    assert full_check(root).reasons == ("unit a.service has failed", "unit b.mount has failed")


def test_systemd_that_says_nothing_is_a_reason(root, engine):
    for script in ("exit 1", "echo no json"):
        program(root, SYSTEMCTL, script)
        assert full_check(root).reasons == ("systemd does not say which units have failed",)
    root.at(SYSTEMCTL).unlink()
    assert not full_check(root).ready
