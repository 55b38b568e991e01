# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Values that the kernel shows as files (/proc/sys, /sys): set one by one, and put back when their setting goes.

What a file had before the first change is kept below /run, so that a value that is unset takes effect at once.
"""

import json
import os
from collections.abc import Mapping

from pinwheel.node.files import write_atomically
from pinwheel.node.paths import KERNEL_BEFORE, Paths
from pinwheel.node.serialize import json_file
from pinwheel.settings.problem import quoted


def change(paths: Paths, old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """Set what is new or has changed, and put back what is set no longer.

    Args:
        paths: where the files are.
        old: the values that were set, by the file's path on the node.
        new: those to set.

    Returns:
        The kernel's objections, by file.

    Raises:
        OSError: what there was before could not be kept.
    """
    before = _kept(paths)
    gone = {file: before.pop(file) for file in old if file not in new and file in before}
    changed = {file: value for file, value in new.items() if old.get(file) != value}
    before |= {file: value for file in changed if file not in before and (value := paths.text(file))}
    _keep(paths, before)
    refusals = {file: refusal(paths, file, value) for file, value in (gone | changed).items()}
    return {file: words for file, words in refusals.items() if words}


def refusal(paths: Paths, file: str, value: str) -> str:
    """Set one value; give the kernel's objection, or nothing."""
    try:
        descriptor = os.open(paths.at(file), os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
        try:
            os.write(descriptor, value.encode() + b"\n")  # in one piece: procfs takes no other
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        return "the kernel has no such parameter"
    except OSError as error:
        return f"the kernel refuses {quoted(value)}: {error.strerror}"
    return ""


def _kept(paths: Paths) -> dict[str, str]:
    text = paths.text(KERNEL_BEFORE)
    return dict(json.loads(text)) if text else {}


def _keep(paths: Paths, before: dict[str, str]) -> None:
    if before != _kept(paths):
        write_atomically(paths.at(KERNEL_BEFORE), json_file(before), 0o600)
