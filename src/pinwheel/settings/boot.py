# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Bottlerocket's settings of the boot, as far as they can be had under a signed command line.

The kernel's command line is signed together with the kernel, and nothing on the node can change it. What Bottlerocket's
users set there is mostly kernel parameters and parameters of modules, which can be set without it: these are taken, and
everything else is refused.
"""

from __future__ import annotations  # see `pinwheel.settings.model`: evaluated when a document has the table

import re
from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, field

from pinwheel.settings.model import Check, Conflict, Namespace, setting
from pinwheel.settings.types import is_sysctl_name

_LEVELS = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
_VALUE = r"[\x21\x23-\x26\x28-\x7e]{1,256}"
"""Printable ASCII without blanks and quotes."""


_READ_BY_PROGRAMS = frozenset(
    {"fsck", "init", "luks", "net", "quotacheck", "rd", "root", "systemd", "udev", "vconsole"}
)
"""What looks like a module's name and is not: programs look for these on the command line (kernel-command-line(7))."""


def _kernel_parameter(text: str) -> str:
    module, _, name = text.partition(".")
    is_sysctl = module == "sysctl" and is_sysctl_name(name)
    is_parameter = re.fullmatch(r"[A-Za-z0-9_-]{1,56}\.[A-Za-z0-9_]{1,128}", text) and module not in _READ_BY_PROGRAMS
    if not is_sysctl and not is_parameter:
        raise ValueError(
            "the kernel's command line is signed and cannot be changed; what can be set is sysctl.NAME and "
            "MODULE.PARAMETER, not"
        )
    return text


def _init_parameter(text: str) -> str:
    if text != "systemd.log_level":
        raise ValueError("the command line is signed and cannot be changed; what can be set is systemd.log_level, not")
    return text


def _value(text: str) -> str:
    if not re.fullmatch(_VALUE, text):
        raise ValueError("not printable ASCII without blanks and quotes")
    return text


Values = Annotated[list[Annotated[str, Check(_value)]], Meta(min_length=1)]


class Boot(Namespace, frozen=True):
    """What Bottlerocket passes to kernel and init."""

    kernel_parameters: Annotated[
        dict[Annotated[str, Check(_kernel_parameter)], Values],
        setting(
            "`sysctl.NAME`, as in `kernel.sysctl`, which wins; and `MODULE.PARAMETER`, for modules loaded from then "
            "on, and for loaded ones where the kernel allows it. Of several values the last one counts.",
            example={"nvme_core.io_timeout": ["4294967295"]},
            allowed="names with a dot, lists of texts; nothing else of the kernel's command line, which is signed",
        ),
    ] = field(default_factory=dict)
    init_parameters: Annotated[
        dict[Annotated[str, Check(_init_parameter)], Values],
        setting(
            "What systemd reads from the command line: `systemd.log_level`, how much it logs.",
            example={"systemd.log_level": ["debug"]},
            allowed="`systemd.log_level` with a list of one of `emerg`, `alert`, `crit`, `err`, `warning`, `notice`, "
            "`info`, `debug`",
        ),
    ] = field(default_factory=dict)
    reboot_to_reconcile: Annotated[
        bool,
        setting(
            "Taken because Bottlerocket's documents have it. It changes nothing: no parameter that can be set here "
            "needs a reboot.",
            example=True,
        ),
    ] = False

    def conflicts(self) -> Iterator[Conflict]:
        """See `Namespace.conflicts`: what a parameter takes depends on it."""
        for name, values in self.init_parameters.items():
            if values[-1] not in _LEVELS:
                yield ("init_parameters", name), f"must be one of {', '.join(_LEVELS)}"

    @property
    def sysctl(self) -> dict[str, str]:
        """The kernel parameters among them, by name."""
        pairs = self.kernel_parameters.items()
        return {name.removeprefix("sysctl."): values[-1] for name, values in pairs if name.startswith("sysctl.")}

    @property
    def module_parameters(self) -> dict[tuple[str, str], str]:
        """The parameters of modules, by module and name."""
        pairs = [(name.partition("."), values[-1]) for name, values in self.kernel_parameters.items()]
        return {(module, name): value for (module, _, name), value in pairs if module != "sysctl"}
