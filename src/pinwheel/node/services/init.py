# SPDX-License-Identifier: Apache-2.0 OR MIT
"""How much systemd logs: what `systemd.log_level` on the kernel's command line says elsewhere."""

from pinwheel.node.paths import SYSTEMCTL, Paths
from pinwheel.node.programs import run
from pinwheel.settings.problem import Problem, path_text
from pinwheel.settings.tree import Settings

PARAMETER = "systemd.log_level"
DEFAULT = "info"
_SECONDS = 20.0


def activate(paths: Paths, old: Settings, new: Settings) -> list[Problem]:
    """Set the level; without a setting, systemd's own."""
    level = _level(new)
    if level == _level(old):
        return []
    outcome = run(paths.at(SYSTEMCTL), "log-level", level, seconds=_SECONDS)
    if outcome.status == 0:
        return []
    path = path_text(("settings", "boot", "init-parameters", PARAMETER))
    return [Problem("init-refused", path, 0, " ".join(outcome.errors.split()), "systemd keeps its level")]


def _level(settings: Settings) -> str:
    values = settings.boot.init_parameters.get(PARAMETER)
    return values[-1] if values else DEFAULT
