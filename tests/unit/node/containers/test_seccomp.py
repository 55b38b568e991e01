# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The profile as runc reads it."""

from pinwheel.node.containers.capabilities import ALL, DEFAULT
from pinwheel.node.containers.seccomp import WITH_CAPABILITY, profile


def allowed(document):
    """Give the calls that are allowed whatever their arguments are."""
    rules = (rule for rule in document["syscalls"] if rule["action"] == "SCMP_ACT_ALLOW" and "args" not in rule)
    return {name for rule in rules for name in rule["names"]}


def test_what_is_not_named_fails():
    document = profile(DEFAULT)
    assert document["defaultAction"] == "SCMP_ACT_ERRNO"
    assert not {"kexec_load", "add_key", "keyctl", "request_key", "userfaultfd", "io_uring_setup"} & allowed(document)


def test_ordinary_programs_have_what_they_need():
    assert {"openat", "read", "execve", "mmap", "futex", "epoll_wait", "chroot", "ptrace"} <= allowed(profile(DEFAULT))


def test_a_capability_opens_its_calls_and_no_others():
    assert "finit_module" not in allowed(profile(DEFAULT))
    opened = allowed(profile([*DEFAULT, "CAP_SYS_MODULE"])) - allowed(profile(DEFAULT))
    assert opened == {"delete_module", "finit_module", "init_module"}


def test_capabilities_exist():
    assert set(WITH_CAPABILITY) <= set(ALL)


def test_namespaces_need_a_capability():
    rules = {rule["names"][0]: rule for rule in profile(DEFAULT)["syscalls"]}
    assert rules["clone"]["args"][0]["op"] == "SCMP_CMP_MASKED_EQ"
    assert (rules["clone3"]["action"], rules["clone3"]["errnoRet"]) == ("SCMP_ACT_ERRNO", 38)
    assert {"clone", "clone3", "unshare"} <= allowed(profile(["CAP_SYS_ADMIN"]))


def test_no_call_is_named_twice_in_a_rule():
    for rule in profile(ALL)["syscalls"]:
        assert len(rule["names"]) == len(set(rule["names"]))


def test_the_way_to_the_hypervisor_is_closed():
    (socket,) = (rule for rule in profile(DEFAULT)["syscalls"] if rule["names"] == ["socket"])
    assert socket["args"] == [{"index": 0, "value": 40, "op": "SCMP_CMP_NE"}]
