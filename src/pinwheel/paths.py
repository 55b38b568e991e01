# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Where Pinwheel keeps its files on the workstation (XDG base directory specification)."""

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
"""The checkout: `os/`, `requirements/` and the sources of what goes into the image are read from here."""


def _base(variable: str, default: str) -> Path:
    return Path(os.environ.get(variable) or Path.home() / default) / "pinwheel"


def cache_directory() -> Path:
    """What can be made again: packages, toolbox, trees, images."""
    return _base("XDG_CACHE_HOME", ".cache")


def state_directory() -> Path:
    """What must outlive a reboot of the workstation: virtual machines and their disks."""
    return _base("XDG_STATE_HOME", ".local/state")


def data_directory() -> Path:
    """What must never be lost: the keys that sign images."""
    return _base("XDG_DATA_HOME", ".local/share")
