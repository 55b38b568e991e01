# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Ask the engine itself what it thinks of its configuration before it has to start with it."""

import msgspec

from pinwheel.node.files import write_atomically
from pinwheel.node.paths import CANDIDATE_JSON, ENGINE, Paths
from pinwheel.node.programs import run
from pinwheel.node.render import engine_configuration
from pinwheel.node.serialize import json_file
from pinwheel.settings.engine import Docker
from pinwheel.settings.problem import Problem, quoted
from pinwheel.settings.tree import Settings

VALIDATE_SECONDS = 60.0
"""How long `dockerd --validate` may take: 0.07 s on hardware, twenty times that under emulation."""


def needs_validation(settings: Settings) -> bool:
    """Say whether user data changes anything of the engine but its remote API, whose rules are checked already.

    The check starts dockerd once more, so boots without such settings, nearly all, skip it.
    """
    return settings.docker != Docker(remote=settings.docker.remote)


def validated(paths: Paths, settings: Settings, line: int) -> tuple[Settings, list[Problem]]:
    """Give settings that the engine takes: those given, or with the engine's defaults and the problem.

    Args:
        paths: where things are. The TLS files that the configuration names must be in place.
        settings: what user data asks for.
        line: where user data has `settings.docker`, for the problem.

    Raises:
        OSError: the candidate could not be written.
    """
    words = _objection(paths, settings)
    if words is None:
        return settings, []
    docker = Docker(remote=settings.docker.remote)
    hint = "the engine's settings have their defaults, docker.remote apart"
    problem = Problem("engine-refused", "settings.docker", line, f"the engine refuses it: {words}", hint)
    return msgspec.structs.replace(settings, docker=docker), [problem]


def _objection(paths: Paths, settings: Settings) -> str | None:
    candidate = paths.at(CANDIDATE_JSON)
    configuration = engine_configuration(settings.docker, settings.container_registry)
    write_atomically(candidate, json_file(configuration))
    try:
        outcome = run(paths.at(ENGINE), "--validate", "--config-file", str(candidate), seconds=VALIDATE_SECONDS)
    except OSError as error:
        return quoted(str(error), 300)[1:-1]
    finally:
        candidate.unlink(missing_ok=True)
    if outcome.status == 0:
        return None
    words = " ".join((outcome.errors or outcome.output).split())
    return quoted(words.replace(str(candidate), "daemon.json"), 300)[1:-1] or f"exit status {outcome.status}"
