# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The host name: sethostname(2) by the name of a kernel parameter, as the node has no hostnamed."""

from pinwheel.node.kernel_values import refusal
from pinwheel.node.network import state_value
from pinwheel.node.paths import OS_RELEASE, SYSCTLS, Paths
from pinwheel.settings.problem import Problem
from pinwheel.settings.tree import Settings

PARAMETER = f"{SYSCTLS}/kernel/hostname"
_DEFAULT = "localhost"
"""What systemd calls a machine without a name, where os-release(5) does not say another."""


def activate(paths: Paths, old: Settings, new: Settings) -> list[Problem]:
    """Set the name; give the system its default name back when there is none any more."""
    name, before = new.network.hostname, old.network.hostname
    if name == before:
        return []
    words = refusal(paths, PARAMETER, name or _default_name(paths))
    return [Problem("kernel-refused", "settings.network.hostname", 0, words, "the name stays")] if words else []


def _default_name(paths: Paths) -> str:
    return state_value(paths.text(OS_RELEASE), "DEFAULT_HOSTNAME") or _DEFAULT
