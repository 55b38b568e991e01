# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Set kernel parameters at boot, so that a refusal can be told with its line.

The sysctl.d file that is rendered too is for network interfaces that come later: udev has systemd-sysctl look there.
"""

import os
from collections.abc import Callable, Mapping
from typing import NamedTuple

from pinwheel.node.paths import SYSCTLS, Paths
from pinwheel.settings.problem import Problem, path_text, quoted

LineOf = Callable[[tuple[str, ...]], int]


def parameter_file(name: str) -> str:
    """Give a parameter's file below /proc/sys: `.` and `/` change places unless a slash comes first (sysctl.d(5))."""
    first = next((letter for letter in name if letter in "./"), ".")
    return name if first == "/" else name.translate(str.maketrans("./", "/."))


class Parameter(NamedTuple):
    """A value for a kernel parameter, and the path in user data that asks for it."""

    value: str
    path: tuple[str, ...]


def apply(paths: Paths, parameters: Mapping[str, Parameter], line_of: LineOf) -> list[Problem]:
    """Set the parameters, and give a problem for each that the kernel refuses.

    Args:
        paths: where /proc/sys is.
        parameters: what to set, by the parameter's name.
        line_of: gives the line in user data of a path.
    """
    problems = []
    for name, parameter in parameters.items():
        words = _refusal(paths, name, parameter.value)
        if words:
            path = path_text(parameter.path)
            problems.append(
                Problem("kernel-refused", path, line_of(parameter.path), words, "the kernel keeps its value")
            )
    return problems


def _refusal(paths: Paths, name: str, value: str) -> str:
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
