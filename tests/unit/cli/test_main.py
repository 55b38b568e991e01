# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The command line as a whole: its help, its completion, and what it exits with."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
import typer
from typer.testing import CliRunner

from pinwheel import __version__
from pinwheel.cli import main as module
from pinwheel.cli.main import app, main
from pinwheel.errors import CheckFailed, EnvironmentFault, ExitCode, PinwheelError, UsageFault
from pinwheel.paths import PROJECT

VERBS = (
    "build", "build-host-container", "image", "run", "ps", "status", "console", "logs", "stop", "rm", "docker", "node",
    "test", "bench",
)  # fmt: skip
LONGEST = 67
"""What one line of 96 columns has room for beside the longest verb."""


def commands(command: object, *path: str) -> Iterator[tuple[tuple[str, ...], object]]:
    """Every verb, and every verb of a verb."""
    for name, one in getattr(command, "commands", {}).items():
        yield (*path, name), one
        yield from commands(one, *path, name)


EVERY = dict(commands(typer.main.get_command(app)))


def test_every_verb_of_the_documentation_is_there() -> None:
    assert {path[0] for path in EVERY} == set(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_verb_is_told_in_one_line(verb: str) -> None:
    line = str(getattr(EVERY[(verb,)], "help", "")).split("\n\n")[0]
    assert 0 < len(line) <= LONGEST, line


def test_help_lists_every_verb_with_its_line_and_the_exit_codes() -> None:
    text = CliRunner(env={"COLUMNS": "96", "TERM": "dumb"}).invoke(app, ["--help"]).stdout
    for verb in VERBS:
        assert re.search(rf"^│ {verb} +[A-Z].*[.] +│$", text, re.MULTILINE), verb
    for code in ExitCode:
        assert re.search(rf"\b{code.value} ", text), code


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_verb_has_help(path: tuple[str, ...], option: str) -> None:
    result = CliRunner().invoke(app, [*path, option])
    assert result.exit_code == 0
    assert f"Usage: pinwheel {' '.join(path)}" in result.stdout


@pytest.mark.parametrize("verb", ["build", "run", "ps", "status", "image show", "image diff", "docker"])
def test_verb_that_reports_something_can_say_it_to_programs(verb: str) -> None:
    assert "--json" in CliRunner(env={"COLUMNS": "200"}).invoke(app, [*verb.split(), "--help"]).stdout


def test_version_is_the_package_s() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout == f"pinwheel {__version__}\n"


@pytest.mark.parametrize("words", [[], ["nope"], ["build", "--nope"], ["image"]], ids=" ".join)
def test_wrong_usage_has_its_exit_code(words: list[str]) -> None:
    assert CliRunner().invoke(app, words).exit_code == ExitCode.USAGE


@pytest.mark.parametrize(
    ("error", "code"), [(EnvironmentFault, 1), (UsageFault, 2), (CheckFailed, 3)], ids=["environment", "usage", "check"]
)
def test_error_becomes_its_message_its_hint_and_its_exit_code(
    error: type[PinwheelError],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    failing = typer.Typer(pretty_exceptions_enable=False)

    @failing.command()
    def fail() -> None:
        raise error("the [disk] is full", "make [bold]room[/bold]")

    monkeypatch.setattr(module, "app", failing)
    monkeypatch.setattr(sys, "argv", ["pinwheel"])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "error: the [disk] is full\n hint: make [bold]room[/bold]\n"


def test_interruption_has_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted = typer.Typer(pretty_exceptions_enable=False)

    @interrupted.command()
    def wait() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "app", interrupted)
    monkeypatch.setattr(sys, "argv", ["pinwheel"])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == ExitCode.INTERRUPTED


def pinwheel(**environment: str) -> str:
    """Run the command line as the bootstrap script starts it."""
    done = subprocess.run(
        [sys.executable, "-m", "pinwheel.cli"],
        env=os.environ | {"PYTHONPATH": str(PROJECT / "src"), "PINWHEEL_PROGRAM": "./pinwheel"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script_can_be_made(shell: str) -> None:
    assert f"complete_{shell}" in pinwheel(_PINWHEEL_COMPLETE=f"source_{shell}")


def test_completion_knows_the_verbs() -> None:
    answer = pinwheel(_PINWHEEL_COMPLETE="complete_bash", COMP_WORDS="pinwheel b", COMP_CWORD="1")
    assert answer.split() == ["build", "build-host-container", "bench"]


def test_completion_knows_the_variants() -> None:
    answer = pinwheel(_PINWHEEL_COMPLETE="complete_bash", COMP_WORDS="pinwheel build --variant d", COMP_CWORD="3")
    assert "docker" in answer.split()
