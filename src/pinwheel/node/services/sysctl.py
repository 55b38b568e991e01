# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Kernel parameters: set one by one, so that each refusal can be told, and put back when their setting goes.

The sysctl.d file that is rendered too is for network interfaces that come later: udev has systemd-sysctl look there.
"""

from pinwheel.node.files import RenderedFile
from pinwheel.node.kernel_values import change
from pinwheel.node.paths import SYSCTL, SYSCTLS, Paths
from pinwheel.node.serialize import sysctl_file
from pinwheel.node.services.service import Files
from pinwheel.settings.problem import Problem, path_text
from pinwheel.settings.tree import Settings


def render(settings: Settings) -> Files:
    """Give the file for systemd-sysctl."""
    values = {name: value for name, (value, _) in parameters(settings).items()}
    return {SYSCTL: RenderedFile(sysctl_file(values))} if values else {}


def activate(paths: Paths, old: Settings, new: Settings) -> list[Problem]:
    """Set what is new or has changed, put back what is set no longer, and give a problem for each refusal."""
    refused = change(paths, _files(old), _files(new))
    wanted = {parameter_file(name): path for name, (_, path) in {**parameters(old), **parameters(new)}.items()}
    return [
        Problem("kernel-refused", path_text(wanted[file]), 0, words, "the kernel keeps its value")
        for file, words in refused.items()
    ]


def parameters(settings: Settings) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Give the value of each parameter, and the path of the setting that has it."""
    boot = {
        name: (value, ("settings", "boot", "kernel-parameters", f"sysctl.{name}"))
        for name, value in settings.boot.sysctl.items()
    }
    own = {name: (value, ("settings", "kernel", "sysctl", name)) for name, value in settings.kernel.sysctl.items()}
    return {**boot, **own}


def parameter_file(name: str) -> str:
    """Give a parameter's file: `.` and `/` change places unless a slash comes first (sysctl.d(5))."""
    first = next((letter for letter in name if letter in "./"), ".")
    return f"{SYSCTLS}/{name if first == '/' else name.translate(str.maketrans('./', '/.'))}"


def _files(settings: Settings) -> dict[str, str]:
    return {parameter_file(name): value for name, (value, _) in parameters(settings).items()}
