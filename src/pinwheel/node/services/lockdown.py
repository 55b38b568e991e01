# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The kernel's lockdown (kernel_lockdown(7)): it can be raised while the kernel runs, and never be lowered."""

import re

from pinwheel.node.paths import LOCKDOWN, Paths
from pinwheel.settings.problem import Problem
from pinwheel.settings.tree import Settings

LEVELS = ("none", "integrity", "confidentiality")


def activate(paths: Paths, old: Settings, new: Settings) -> list[Problem]:  # noqa: ARG001 - what holds, the kernel says
    """Raise the level to what is asked for; a lower one is for the next boot."""
    wanted = new.kernel.lockdown
    match = re.search(r"\[(\w+)\]", paths.text(LOCKDOWN))  # `none [integrity] confidentiality`
    if match and LEVELS.index(match[1]) >= LEVELS.index(wanted):
        return []
    try:
        paths.at(LOCKDOWN).write_text(wanted)
    except OSError as error:
        words = f"the kernel refuses {wanted}: {error.strerror}"
        return [Problem("kernel-refused", "settings.kernel.lockdown", 0, words, "the kernel keeps its level")]
    return []
