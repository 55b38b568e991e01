# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Kernel parameters and the host name, in files where the kernel has its own."""

from pinwheel.node import paths as places
from pinwheel.node.services import hostname, sysctl
from pinwheel.settings.system import Kernel, Network
from pinwheel.settings.tree import Settings

MAP_COUNT = f"{places.SYSCTLS}/vm/max_map_count"


def parameters(**values: str) -> Settings:
    return Settings(kernel=Kernel(sysctl={name.replace("__", "."): value for name, value in values.items()}))


def named(name: str | None) -> Settings:
    return Settings(network=Network(hostname=name))


def test_parameter_is_set_changed_and_put_back(root):
    first, second = parameters(vm__max_map_count="70000"), parameters(vm__max_map_count="80000")
    assert sysctl.activate(root, Settings(), first) == []
    assert root.text(MAP_COUNT) == "70000"
    assert sysctl.activate(root, first, second) == []
    assert root.text(MAP_COUNT) == "80000"
    assert sysctl.activate(root, second, Settings()) == []
    assert root.text(MAP_COUNT) == "65530"


def test_second_boot_process_still_knows_what_there_was_before(root):
    sysctl.activate(root, Settings(), parameters(vm__max_map_count="70000"))
    sysctl.activate(root, Settings(), parameters(vm__max_map_count="70000"))
    sysctl.activate(root, parameters(vm__max_map_count="70000"), Settings())
    assert root.text(MAP_COUNT) == "65530"


def test_parameter_that_did_not_change_is_not_written_again(root):
    settings = parameters(vm__max_map_count="70000")
    sysctl.activate(root, Settings(), settings)
    root.at(MAP_COUNT).write_text("changed by another\n")
    sysctl.activate(root, settings, settings)
    assert root.text(MAP_COUNT) == "changed by another"


def test_unknown_parameter_is_a_problem_and_the_others_are_set(root):
    (problem,) = sysctl.activate(root, Settings(), parameters(vm__bogus="1", vm__max_map_count="70000"))
    assert (problem.code, problem.path) == ("kernel-refused", 'settings.kernel.sysctl."vm.bogus"')
    assert root.text(MAP_COUNT) == "70000"


def test_host_name_is_set_changed_and_taken_back(root):
    assert hostname.activate(root, Settings(), named("a")) == []
    assert root.text(f"{places.SYSCTLS}/kernel/hostname") == "a"
    assert hostname.activate(root, named("a"), named("b")) == []
    assert root.text(f"{places.SYSCTLS}/kernel/hostname") == "b"
    assert hostname.activate(root, named("b"), Settings()) == []
    assert root.text(f"{places.SYSCTLS}/kernel/hostname") == "localhost"


def test_host_name_without_a_setting_is_left_alone(root):
    root.at(f"{places.SYSCTLS}/kernel/hostname").write_text("from-dhcp\n")
    assert hostname.activate(root, Settings(), Settings(motd="x")) == []
    assert root.text(f"{places.SYSCTLS}/kernel/hostname") == "from-dhcp"
