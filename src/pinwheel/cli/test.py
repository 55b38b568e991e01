# SPDX-License-Identifier: Apache-2.0 OR MIT
"""`pinwheel test`: the project's own tests. The bootstrap script gives this verb an environment with the test tools."""

import os
import subprocess
import sys
from enum import StrEnum
from typing import Annotated

import typer

from pinwheel.errors import CheckFailed, EnvironmentFault
from pinwheel.paths import PROJECT


class Suite(StrEnum):
    """Which tests."""

    ALL = "all"
    LINT = "lint"
    UNIT = "unit"
    NODE = "node"
    VM = "vm"
    FUZZ = "fuzz"


FUZZ = "tests/node/api/test_fuzz.py"
"""Part of the suite `node` in a short form."""
EXAMPLES_VARIABLE = "PINWHEEL_FUZZ_EXAMPLES"
"""How many requests are made up for each operation of the API."""
EXAMPLES = 2000


def add_to(app: typer.Typer) -> None:
    """Add the verb."""
    app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})(test)


def test(
    suite: Annotated[Suite, typer.Argument(help="Which tests.")] = Suite.ALL,
    pytest_arguments: Annotated[list[str] | None, typer.Argument(help="Passed on to pytest, after --.")] = None,
) -> None:
    """Run the project's own tests.

    lint: static checks. unit: seconds. node: with real files, sockets and tools. vm: boots the real image.
    fuzz: sends the API very many requests that are made up from its description, for an hour or more.
    """
    command = [sys.executable, "-m", "pytest", *(pytest_arguments or []), *_paths(suite)]
    environment = os.environ | {"PYTHONPATH": f"{PROJECT / 'src'}:{PROJECT}"}
    if suite is Suite.FUZZ:
        environment |= {EXAMPLES_VARIABLE: os.environ.get(EXAMPLES_VARIABLE, str(EXAMPLES))}
        command.append("--timeout=0")
    try:
        done = subprocess.run(command, cwd=PROJECT, env=environment, check=False)
    except OSError as error:
        raise EnvironmentFault(f"cannot start pytest: {error}", "run the tests as ./pinwheel test") from error
    if done.returncode:
        raise CheckFailed("tests failed", "the report above says which, and why")


def _paths(suite: Suite) -> list[str]:
    if suite is Suite.FUZZ:
        return [FUZZ]
    return ["tests"] if suite is Suite.ALL else [f"tests/{suite.value}"]
