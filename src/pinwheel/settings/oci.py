# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What containers get unless they ask for something else.

Bottlerocket's `oci-defaults.capabilities` is not here: Docker Engine 26 has no default for all containers, each names
its own. Its `max-address-space` is not either: the engine knows no such limit.
"""

from __future__ import annotations  # see `pinwheel.settings.model`: evaluated when a document has the table

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta

from pinwheel.settings.model import Check, Conflict, Namespace, setting

UNLIMITED = -1


def _number_of_text(value: object) -> object:
    return UNLIMITED if value == "unlimited" else value


Amount = Annotated[int, Meta(ge=UNLIMITED, le=2**63 - 1), Check(_number_of_text, accepts='{"const": "unlimited"}')]


class Limit(Namespace, frozen=True):
    """A limit of setrlimit(2)."""

    soft_limit: Annotated[
        Amount,
        setting("What is enforced.", example=1024, allowed='a whole number, or `"unlimited"` (also -1)'),
    ]
    hard_limit: Annotated[
        Amount,
        setting(
            "How far a process may raise the soft limit itself.",
            example=4096,
            allowed='a whole number, or `"unlimited"` (also -1)',
        ),
    ]

    def conflicts(self) -> Iterator[Conflict]:
        """See `Namespace.conflicts`: the soft limit is the lower one."""
        if self.hard_limit != UNLIMITED and (self.soft_limit == UNLIMITED or self.soft_limit > self.hard_limit):
            yield "", "soft-limit is above hard-limit"


def _limit(description: str, unit: str = "") -> Meta:
    example = {"soft-limit": 1024, "hard-limit": 4096}
    return setting(description, example=example, unit=unit, allowed="a table of `soft-limit` and `hard-limit`")


class ResourceLimits(Namespace, frozen=True):
    """The limits of a container's processes."""

    max_core_file_size: Annotated[Limit | None, _limit("Size of a core dump.", "bytes")] = None
    max_cpu_time: Annotated[Limit | None, _limit("Time of the processor.", "seconds")] = None
    max_data_size: Annotated[Limit | None, _limit("Size of the data segment.", "bytes")] = None
    max_file_locks: Annotated[Limit | None, _limit("Number of locks on files.")] = None
    max_file_size: Annotated[Limit | None, _limit("Size of a file that is written.", "bytes")] = None
    max_locked_memory: Annotated[Limit | None, _limit("Memory that cannot be swapped out.", "bytes")] = None
    max_msgqueue_size: Annotated[Limit | None, _limit("Size of POSIX message queues.", "bytes")] = None
    max_nice_priority: Annotated[Limit | None, _limit("20 minus the lowest nice value.")] = None
    max_open_files: Annotated[Limit | None, _limit("Number of open files, less one.")] = None
    max_pending_signals: Annotated[Limit | None, _limit("Number of signals that wait.")] = None
    max_processes: Annotated[Limit | None, _limit("Number of processes of the user, in all containers.")] = None
    max_realtime_priority: Annotated[Limit | None, _limit("Priority of real-time scheduling.")] = None
    max_realtime_timeout: Annotated[
        Limit | None, _limit("Time of the processor between two system calls that wait.", "microseconds")
    ] = None
    max_resident_set: Annotated[Limit | None, _limit("Resident memory; today's kernels ignore it.", "bytes")] = None
    max_stack_size: Annotated[Limit | None, _limit("Size of the stack.", "bytes")] = None


ULIMITS = {
    "max_core_file_size": "core",
    "max_cpu_time": "cpu",
    "max_data_size": "data",
    "max_file_locks": "locks",
    "max_file_size": "fsize",
    "max_locked_memory": "memlock",
    "max_msgqueue_size": "msgqueue",
    "max_nice_priority": "nice",
    "max_open_files": "nofile",
    "max_pending_signals": "sigpending",
    "max_processes": "nproc",
    "max_realtime_priority": "rtprio",
    "max_realtime_timeout": "rttime",
    "max_resident_set": "rss",
    "max_stack_size": "stack",
}
"""The fields of `ResourceLimits`, and what the engine's `default-ulimits` calls them (github.com/docker/go-units)."""


class OciDefaults(Namespace, frozen=True):
    """What containers get unless they ask for something else."""

    resource_limits: Annotated[ResourceLimits, setting("The limits of a container's processes.", example={})] = (
        ResourceLimits()
    )
