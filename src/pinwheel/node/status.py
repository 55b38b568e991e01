# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What a node says about itself: one document, from which the status line and the status screen are made.

`launch status` looks once and reports; systemd starts it when the network changes or a unit fails. It never loads the
settings: what it needs of them is in the view.
"""

import json
import os
from typing import Any

from pinwheel.node import paths as places
from pinwheel.node.console import report
from pinwheel.node.files import write_atomically
from pinwheel.node.network import addresses, state_value
from pinwheel.node.paths import Paths
from pinwheel.node.readiness import Readiness, full_check
from pinwheel.node.screen import changed

SCHEMA = 1
ROOT_LABEL = "pinwheel-root-"
"""What the partition of a slot's root is called, before the slot's letter."""
_SECURE_BOOT_VALUE = 4
"""An efivarfs file starts with four bytes of attributes."""


def main() -> int:
    """Look once, and say it where it has changed."""
    return look_once(Paths())


def look_once(paths: Paths) -> int:
    """Write the status anew; print it when it says something new. Boot, while it waits, does all of this itself."""
    if _boot_is_waiting(paths):
        return 0
    before, now = last_document(paths), document(paths, full_check(paths))
    publish(paths, now, loud=changed(before, now))
    return 0


def document(paths: Paths, readiness: Readiness) -> dict[str, Any]:
    """Give the status document (schema 1)."""
    release, command_line = paths.text(places.OS_RELEASE), paths.text(places.COMMAND_LINE)
    record, view = _json(paths, places.BOOT_RECORD), _json(paths, places.VIEW)
    return {
        "schema": SCHEMA,
        "ready": readiness.ready,
        "reasons": list(readiness.reasons),
        "version": state_value(release, "VERSION_ID"),
        "variant": state_value(release, "VARIANT_ID"),
        "slot": running_slot(paths),
        "root_hash": kernel_argument(command_line, "roothash"),
        "kernel": os.uname().release,
        "hostname": paths.text(f"{places.SYSCTLS}/kernel/hostname"),
        "addresses": addresses(paths),
        "secure_boot": secure_boot(paths),
        "user_data": record.get("user_data", {"source": "none", "problems": []}),
        "docker": {"remote": _remote(view, "docker")},
        "api": {"remote": _remote(view, "api"), "fingerprint": paths.text(places.API_FINGERPRINT)},
        "generation": view.get("in_effect", 0),
        "trial": view.get("trial"),
        "failed_units": list(readiness.failed_units),
        "stage": "booted" if readiness.ready or last_document(paths).get("stage") == "booted" else "booting",
        "uptime_seconds": float((paths.text(places.UPTIME).split() or ["0"])[0]),
    }


def _remote(view: dict[str, Any], namespace: str) -> dict[str, Any] | None:
    """Give the port of a service that the network may reach; None when it may not."""
    remote = view.get("settings", {}).get(namespace, {}).get("remote", {})
    return {"port": remote["port"]} if remote.get("enabled") else None


def publish(paths: Paths, status: dict[str, Any], *, loud: bool) -> None:
    """Write the document, give it to the host's status port if there is one, and show it on the console when `loud`.

    Raises:
        OSError: the document could not be written.
    """
    line = json.dumps(status).encode() + b"\n"
    write_atomically(paths.at(places.STATUS), line)
    report(paths, status, line, loud=loud)


def last_document(paths: Paths) -> dict[str, Any]:
    """Give the document that was written last; empty without one."""
    return _json(paths, places.STATUS)


def running_slot(paths: Paths) -> str:
    """Give the slot that the root runs from, `a` or `b`: the end of the name of the partition below dm-verity.

    The command line cannot tell: the same signed kernel image serves either slot.
    """
    for partition in sorted(paths.at(places.ROOT_PARTITIONS).glob("*/uevent")):
        name = state_value(partition.read_text(), "PARTNAME")
        if name.startswith(ROOT_LABEL):
            return name.removeprefix(ROOT_LABEL)
    return ""


def kernel_argument(command_line: str, name: str) -> str:
    """Give an argument of the kernel command line; the last one counts, as for the kernel."""
    values = [word.partition("=")[2] for word in command_line.split() if word.partition("=")[0] == name]
    return values[-1] if values else ""


def secure_boot(paths: Paths) -> bool:
    """Say whether the firmware enforced signatures on the way to this kernel."""
    try:
        return paths.at(places.SECURE_BOOT).read_bytes()[_SECURE_BOOT_VALUE:] == b"\x01"
    except OSError:
        return False


def _json(paths: Paths, path: str) -> dict[str, Any]:
    try:
        value = json.loads(paths.text(path))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _boot_is_waiting(paths: Paths) -> bool:
    import fcntl

    try:
        with paths.at(places.BOOT_LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        pass
    return False
