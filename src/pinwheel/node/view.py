# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What the API process may know of the settings without asking: the view, a file that is written anew with each change.

The process that listens to the outside never reads a generation: it sees this file, in which secrets are hidden.
"""

import os
from functools import cache
from typing import Any

import msgspec

from pinwheel.node.files import write_atomically
from pinwheel.node.generations.generation import Generation
from pinwheel.node.in_effect import InEffect
from pinwheel.node.paths import VIEW
from pinwheel.node.services.metadata import affected, configuration_files, services
from pinwheel.node.services.service import Service
from pinwheel.node.system import System
from pinwheel.settings.documents import hide_secrets
from pinwheel.settings.model import dump
from pinwheel.settings.tree import Settings

READERS = "pinwheel-api"
"""The group that may read it."""
_MODE = 0o640


def write_view(system: System, generation: Generation, state: InEffect, settings: Settings) -> None:
    """Write the view.

    Args:
        system: the node.
        generation: the newest, or the one on trial.
        state: what is in effect.
        settings: those of the generation, with their defaults.

    Raises:
        OSError: it could not be written; the old one is still there.
    """
    view: dict[str, Any] = {
        "generation": generation.number,
        "in_effect": state.generation,
        "trial": msgspec.to_builtins(state.trial),
        "settings": dump(settings),
        "set": hide_secrets(system.model, generation.settings),
        **_of_services(system.services),
    }
    write_atomically(system.paths.at(VIEW), msgspec.json.encode(view), _MODE, group=_group())


@cache
def _of_services(table: tuple[Service, ...]) -> dict[str, msgspec.Raw]:
    """Give what no change changes, encoded."""
    parts = {
        "services": services(table),
        "configuration_files": configuration_files(table),
        "affected": affected(table),
    }
    return {name: msgspec.Raw(msgspec.json.encode(part)) for name, part in parts.items()}


@cache
def _group() -> int:
    """Give the readers' group; root's where there is none, as in an image without the API."""
    import grp

    try:
        return grp.getgrnam(READERS).gr_gid
    except KeyError:
        return os.getegid()
