# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What a change of settings answers, and what a generation records of it."""

from functools import cache
from typing import Any

from pinwheel.node.actuator.protocol import Commit
from pinwheel.node.apply import Applied, Plan
from pinwheel.node.generations.generation import Draft, Generation
from pinwheel.node.services.service import Service
from pinwheel.node.system import System
from pinwheel.settings import changes
from pinwheel.settings.documents import Document
from pinwheel.settings.model import walk
from pinwheel.settings.problem import path_text
from pinwheel.settings.tree import Settings

Result = dict[str, Any]
Path = tuple[str, ...]


def report(
    system: System, generation: int, changed: list[Result], planned: Plan | None, applied: Applied | None
) -> Result:
    """Give the answer to a change.

    Args:
        system: the node.
        generation: the one that is current now.
        changed: what differs, as `shown` gives it.
        planned: what takes part in it; None for a change that changes nothing.
        applied: what was done; None where nothing was, as in a dry run.
    """
    paths = [changes.parse_path(change["path"]) for change in changed]
    waiting = [path for path in _taken_at_boot(system.model) if _any_overlap(path, paths)] if paths else []
    return {
        "generation": generation,
        "changes": changed,
        "services": [service.name for service in planned.services] if planned else [],
        "units": [action.unit for action in planned.actions] if planned else [],
        "applied": applied is not None,
        "reboot": [path_text(("settings", *path)) for path in waiting],
    }


def shown(found: list[changes.Change]) -> list[Result]:
    """Give changes as an answer has them; their secrets are hidden already."""
    return [{"path": path_text(("settings", *item.path)), "old": item.old, "new": item.new} for item in found]


def draft(current: Generation, document: Document, changed: list[Result], request: Commit) -> Draft:
    """Give the generation that a request asks for."""
    return Draft(
        request.author,
        request.reason,
        document,
        trial=request.try_seconds > 0,
        user_data=current.user_data,
        changes=[change["path"] for change in changed],
    )


def is_read_by(service: Service, paths: list[Path]) -> bool:
    """Say whether a service reads any of some settings, or something below or above one."""
    return any(_any_overlap(tuple(prefix.split(".")), paths) for prefix in service.settings)


@cache
def _taken_at_boot(model: type[Settings]) -> list[Path]:
    """Give the settings whose change takes effect at the next boot."""
    return [entry.path for entry in walk(model) if entry.reboot]


def _any_overlap(prefix: Path, paths: list[Path]) -> bool:
    """Say whether any path is the prefix, or below it, or above it."""
    return any(all(one == other for one, other in zip(prefix, path, strict=False)) for path in paths)
