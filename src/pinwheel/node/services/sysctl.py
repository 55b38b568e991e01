# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Kernel parameters: set one by one, so that each refusal can be told, and put back when their setting goes.

The sysctl.d file that is rendered too is for network interfaces that come later: udev has systemd-sysctl look there.
What a parameter had before the first change is kept in a file below /run: a setting that is unset takes effect at once.
"""

import json
import os

from pinwheel.node.files import RenderedFile, write_atomically
from pinwheel.node.paths import SYSCTL, SYSCTL_BEFORE, SYSCTLS, Paths
from pinwheel.node.serialize import json_file, sysctl_file
from pinwheel.node.services.service import Files
from pinwheel.settings.problem import Problem, path_text, quoted
from pinwheel.settings.tree import Settings


def render(settings: Settings) -> Files:
    """Give the file for systemd-sysctl."""
    parameters = settings.kernel.sysctl
    return {SYSCTL: RenderedFile(sysctl_file(parameters))} if parameters else {}


def activate(paths: Paths, old: Settings, new: Settings) -> list[Problem]:
    """Set what is new or has changed, put back what is set no longer, and give a problem for each refusal."""
    before = _kept(paths)
    wanted, had = new.kernel.sysctl, old.kernel.sysctl
    gone = {name: before.pop(name) for name in had if name not in wanted and name in before}
    changed = {name: value for name, value in wanted.items() if had.get(name) != value}
    before |= {name: value for name in changed if name not in before and (value := _current(paths, name))}
    _keep(paths, before)
    return [
        Problem(
            "kernel-refused", path_text(("settings", "kernel", "sysctl", name)), 0, words, "the kernel keeps its value"
        )
        for name, value in (gone | changed).items()
        if (words := refusal(paths, name, value))
    ]


def parameter_file(name: str) -> str:
    """Give a parameter's file below /proc/sys: `.` and `/` change places unless a slash comes first (sysctl.d(5))."""
    first = next((letter for letter in name if letter in "./"), ".")
    return name if first == "/" else name.translate(str.maketrans("./", "/."))


def refusal(paths: Paths, name: str, value: str) -> str:
    """Set a parameter; give the kernel's objection, or nothing."""
    try:
        descriptor = os.open(paths.at(f"{SYSCTLS}/{parameter_file(name)}"), os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
        try:
            os.write(descriptor, value.encode() + b"\n")  # in one piece: procfs takes no other
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        return "the kernel has no such parameter"
    except OSError as error:
        return f"the kernel refuses {quoted(value)}: {error.strerror}"
    return ""


def _current(paths: Paths, name: str) -> str:
    return paths.text(f"{SYSCTLS}/{parameter_file(name)}")


def _kept(paths: Paths) -> dict[str, str]:
    text = paths.text(SYSCTL_BEFORE)
    return dict(json.loads(text)) if text else {}


def _keep(paths: Paths, before: dict[str, str]) -> None:
    if before != _kept(paths):
        write_atomically(paths.at(SYSCTL_BEFORE), json_file(before), 0o600)
