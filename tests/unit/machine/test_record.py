# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What a machine's record accepts and what it refuses."""

import pytest

from pinwheel.errors import UsageFault
from pinwheel.machine.record import GIB, MIB, MachineRecord, check_name, parse_forward, parse_size


@pytest.mark.parametrize(
    ("text", "size"), [("512M", 512 * MIB), ("8G", 8 * GIB), ("1.5g", 1536 * MIB), ("2 GiB", 2 * GIB)]
)
def test_size_with_a_binary_unit_is_read_as_bytes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "8", "G", "-1G", "0M", "8X", "1e3M"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(UsageFault, match="not a size"):
        parse_size(text)


def test_published_port_is_on_the_loopback_address_unless_said_otherwise():
    assert str(parse_forward("8080:80")) == "127.0.0.1:8080->80/tcp"
    assert str(parse_forward("0.0.0.0:53:5353/udp")) == "0.0.0.0:53->5353/udp"


@pytest.mark.parametrize(
    "text", ["80", "a:b", "0:80", "80:65536", "80:80/sctp", "::1:80:80", "80:80,hostfwd=tcp::1-:1"]
)
def test_what_is_no_port_to_publish_is_refused(text):
    with pytest.raises(UsageFault):
        parse_forward(text)


def test_address_that_is_none_is_named():
    with pytest.raises(UsageFault, match=r"300\.1\.1\.1"):
        parse_forward("300.1.1.1:80:80")


@pytest.mark.parametrize("name", ["default", "a", "node-1", "x" * 63])
def test_host_name_can_be_the_name_of_a_machine(name):
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "-a", "a-", "A", "a,b", "x" * 64, "a\n"])
def test_name_that_could_leave_its_directory_or_confuse_qemu_is_refused(name):
    with pytest.raises(UsageFault):
        check_name(name)


def test_record_is_the_same_after_it_was_written_and_read():
    record = MachineRecord(
        name="a", image="i.raw", docker_port=4711, publish=(parse_forward("8080:80"),), data_disk_size=GIB
    )
    assert MachineRecord.model_validate_json(record.model_dump_json()) == record
