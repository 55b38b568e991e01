# SPDX-License-Identifier: Apache-2.0 OR MIT
"""QEMU's command line, derived from a record."""

from itertools import pairwise

from pinwheel.machine.qemu import qemu_command
from pinwheel.machine.record import GIB, MIB, MachineRecord, parse_forward


def command(*, kvm: bool = False, **fields: object) -> list[str]:
    record = MachineRecord.model_validate({"name": "web", "image": "i.raw", "docker_port": 4711, **fields})
    return qemu_command(record, kvm=kvm)


def values(words: list[str], option: str) -> list[str]:
    return [value for word, value in pairwise(words) if word == option]


def test_memory_and_processors_are_those_of_the_record():
    words = command(memory=512 * MIB, cpus=3)
    assert values(words, "-m") == ["512M"]
    assert values(words, "-smp") == ["3"]


def test_processor_is_emulated_unless_kvm_works():
    assert values(command(), "-accel")[0].startswith("tcg,thread=multi")
    assert values(command(kvm=True), "-accel") == ["kvm"]


def test_firmware_enforces_secure_boot_and_guards_its_variables():
    words = command()
    assert "smm=on" in values(words, "-machine")[0]
    assert "driver=cfi.pflash01,property=secure,value=on" in values(words, "-global")
    assert any("secboot.fd" in drive and "readonly=on" in drive for drive in values(words, "-drive"))


def test_docker_api_is_reached_on_the_loopback_address_only():
    (network,) = values(command(), "-netdev")
    assert network == "user,id=net,hostfwd=tcp:127.0.0.1:4711-:2376"


def test_settings_api_is_reached_on_the_loopback_address_only():
    (network,) = values(command(api_port=4712), "-netdev")
    assert network == "user,id=net,hostfwd=tcp:127.0.0.1:4711-:2376,hostfwd=tcp:127.0.0.1:4712-:8443"


def test_published_ports_are_forwarded():
    ports = [parse_forward("8080:80"), parse_forward("0.0.0.0:53:53/udp")]
    (network,) = values(command(publish=ports), "-netdev")
    assert network.endswith(",hostfwd=tcp:127.0.0.1:8080-:80,hostfwd=udp:0.0.0.0:53-:53")


def test_data_disk_is_there_when_asked_for_and_never_booted():
    assert not any("data.raw" in word for word in command())
    devices = values(command(data_disk_size=GIB), "-device")
    (data,) = [device for device in devices if "pinwheel-data" in device]
    assert "bootindex" not in data


def test_tpm_is_there_when_asked_for_and_started_before_qemu_takes_its_place():
    assert not any("tpm" in word for word in command())
    words = command(tpm=True)
    assert words[:2] == ["sh", "-c"]
    assert "--terminate" in words[2]
    assert words[2].endswith('exec "$@"')
    assert words[4] == command()[0]
    assert values(words, "-chardev")[-1] == "socket,id=tpm,path=tpm.sock"
    assert "tpm-crb,tpmdev=tpm" in values(words, "-device")


def test_firmware_hands_over_user_data_unless_there_is_none():
    assert values(command(), "-smbios") == ["type=11,path=credentials.smbios"]
    assert values(command(hands_user_data=False), "-smbios") == []


def test_no_file_of_the_machine_is_named_by_an_absolute_path():
    words = " ".join(command(data_disk_size=GIB, tpm=True))
    for name in (
        "disk.raw",
        "data.raw",
        "firmware.vars",
        "console.sock",
        "console.log",
        "monitor.sock",
        "status.jsonl",
        "tpm.sock",
    ):
        assert f"/{name}" not in words
        assert name in words


def test_uuid_is_a_word_of_its_own_so_that_the_process_can_be_found():
    uuid = "b5ed0d37-0000-4000-8000-000000000000"
    assert values(command(uuid=uuid), "-uuid") == [uuid]
