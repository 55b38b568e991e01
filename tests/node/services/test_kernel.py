# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What consumers have the kernel and systemd do, in files and programs where these are."""

from typing import Any

from tests.support.node_root import program, put

from pinwheel.node import paths as places
from pinwheel.node.paths import Paths
from pinwheel.node.services import init, kernel_modules, lockdown, network
from pinwheel.settings.reading import read
from pinwheel.settings.tree import Settings

IO_TIMEOUT = f"{places.MODULES}/nvme_core/parameters/io_timeout"


def settings(**document: Any) -> Settings:
    result, mistakes = read(Settings, document)
    assert not mistakes
    return result


def with_timeout(value: str) -> Settings:
    return settings(boot={"kernel-parameters": {"nvme_core.io_timeout": [value]}})


def test_modules_are_loaded_once(root):
    program(root, places.MODPROBE, f'echo "$@" >> {root.root}/asked')
    some = settings(kernel={"modules": {"zram": {"autoload": True}, "sctp": {"autoload": True, "allowed": False}}})
    more = settings(kernel={"modules": {"zram": {"autoload": True}, "bonding": {"autoload": True}}})
    assert kernel_modules.activate(root, Settings(), some) == []
    assert kernel_modules.activate(root, some, more) == []
    assert kernel_modules.activate(root, more, Settings()) == []
    assert root.text("/asked").splitlines() == ["-- zram", "-- bonding"]


def test_module_that_cannot_be_loaded_is_told_in_modprobes_words(root):
    program(root, places.MODPROBE, 'echo "modprobe: FATAL: Module $2 not found" >&2; exit 1')
    (problem,) = kernel_modules.activate(root, Settings(), settings(kernel={"modules": {"x-y": {"autoload": True}}}))
    assert (problem.code, problem.path) == ("module-refused", "settings.kernel.modules.x-y")
    assert problem.message == "modprobe: FATAL: Module x-y not found"


def test_parameter_of_a_loaded_module_is_set_and_put_back(root):
    put(root, IO_TIMEOUT, "30\n")
    assert kernel_modules.activate(root, Settings(), with_timeout("60")) == []
    assert root.text(IO_TIMEOUT) == "60"
    assert kernel_modules.activate(root, with_timeout("60"), Settings()) == []
    assert root.text(IO_TIMEOUT) == "30"


def test_parameter_that_counts_when_the_module_is_loaded_is_left_to_modprobe(root):
    put(root, IO_TIMEOUT, "30\n").chmod(0o444)
    assert kernel_modules.activate(root, Settings(), with_timeout("60")) == []
    assert root.text(IO_TIMEOUT) == "30"
    root.at(IO_TIMEOUT).unlink()
    assert kernel_modules.activate(root, Settings(), with_timeout("60")) == []


def test_lockdown_is_raised_and_never_lowered(root):
    put(root, places.LOCKDOWN, "none [integrity] confidentiality\n")
    higher = settings(kernel={"lockdown": "confidentiality"})
    assert lockdown.activate(root, Settings(), higher) == []
    assert root.text(places.LOCKDOWN) == "confidentiality"
    put(root, places.LOCKDOWN, "none integrity [confidentiality]\n")
    assert lockdown.activate(root, higher, Settings()) == []
    assert root.text(places.LOCKDOWN) == "none integrity [confidentiality]"


def test_systemd_logs_as_much_as_it_is_told(root):
    program(root, places.SYSTEMCTL, f'echo "$@" >> {root.root}/asked')
    louder = settings(boot={"init-parameters": {"systemd.log_level": ["warning", "debug"]}})
    assert init.activate(root, Settings(), louder) == []
    assert init.activate(root, louder, louder) == []
    assert init.activate(root, louder, Settings()) == []
    assert root.text("/asked").splitlines() == ["log-level debug", "log-level info"]


def mtu(node: Paths, card: str) -> str:
    return node.text(f"{places.INTERFACES}/{card}/mtu")


def test_size_of_packets_is_set_by_the_entry_that_counts_and_put_back(root):
    for card, address in (("eth0", "52:54:00:00:00:01"), ("eth1", "52:54:00:00:00:02"), ("eth2", "52:54:00:00:00:03")):
        put(root, f"{places.INTERFACES}/{card}/address", f"{address}\n")
        put(root, f"{places.INTERFACES}/{card}/mtu", "1500\n")
        put(root, f"{places.INTERFACES}/{card}/device/uevent", "")
    put(root, f"{places.INTERFACES}/veth1/mtu", "1500\n")
    given = settings(
        network={
            "interfaces": {
                "*": {"mtu": 9000},
                "eth0": {"mtu": 1400},
                "52:54:00:00:00:02": {"dhcp4": True},
                "vlan7": {"kind": "vlan", "device": "eth0", "id": 7, "mtu": 1300},
            }
        }
    )
    assert network.activate(root, Settings(), given) == []
    assert [mtu(root, card) for card in ("eth0", "eth1", "eth2", "veth1")] == ["1400", "1500", "9000", "1500"]
    assert network.activate(root, given, Settings()) == []
    assert [mtu(root, card) for card in ("eth0", "eth1", "eth2")] == ["1500"] * 3
