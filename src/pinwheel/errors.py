# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The errors that the workstation's packages raise: two trees, by whose fault it was.

Every message says what went wrong, every hint what to do about it. The command line prints both and turns the class
into an exit code; nothing else in the project ends the process.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """What `pinwheel` exits with. `pinwheel docker` alone passes on the Docker client's own code."""

    OK = 0
    ENVIRONMENT = 1
    """Something around the command failed: the network, a disk, a tool, the virtual machine."""
    USAGE = 2
    """The command, or a file given to it, was wrong; trying again without a change will fail again."""
    CHECK_FAILED = 3
    """The command did its work and found what it looked for wanting: an image that breaks a rule, a node that did not
    become ready, a test that failed."""
    INTERRUPTED = 130
    """Ctrl-C; what was begun has been cleaned up."""


class PinwheelError(Exception):
    """The base of both trees: a message, and a hint that says what to do next."""

    exit_code = ExitCode.ENVIRONMENT

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class EnvironmentFault(PinwheelError):
    """The environment's fault: network, disk, missing tool, a program that failed."""


class UsageFault(PinwheelError):
    """The caller's fault: an option, an argument, or the content of a file given to the command."""

    exit_code = ExitCode.USAGE


class CheckFailed(PinwheelError):
    """The work was done and its result is not good: a rule is broken, a node is not ready."""

    exit_code = ExitCode.CHECK_FAILED
