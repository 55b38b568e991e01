# SPDX-License-Identifier: Apache-2.0 OR MIT
import subprocess
import sys

import click
import pytest

from pinwheel.api.client.group import VERBS, make_group, run, with_verb
from pinwheel.api.client.session import Session
from pinwheel.api.client.transport import UnixTransport

GROUP = make_group("A node.")
NOWHERE = Session(UnixTransport("/nowhere"))


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("-u /settings", "raw -u /settings"),
        ("-s /s -v --log-level=debug -m GET -u /", "-s /s -v --log-level=debug raw -m GET -u /"),
        ("-s/s --uri /", "-s/s raw --uri /"),
        ("--socket-path /s get", "--socket-path /s get"),
        ("get -u", "get -u"),
        ("--help", "--help"),
        ("-h", "-h"),
        ("-s", "-s"),
        ("", ""),
    ],
)
def test_without_a_verb_it_is_raw(given: str, meant: str) -> None:
    assert with_verb(given.split()) == meant.split()


def every(command: click.Command, *path: str) -> list[tuple[str, ...]]:
    if not isinstance(command, click.Group):
        return [path]
    context = click.Context(command)
    found = [
        every(command.get_command(context, name) or command, *path, name) for name in command.list_commands(context)
    ]
    return [path, *(one for below in found for one in below)]


PATHS = every(GROUP)


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_every_verb_has_help(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(GROUP, NOWHERE, [*path, "--help"]) == 0
    assert f"Usage: apiclient {' '.join(path)}".rstrip() in capsys.readouterr().out


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_told_in_one_line(verb: str) -> None:
    command = GROUP.get_command(click.Context(GROUP), verb)
    assert command is not None
    assert command.name == verb
    assert 0 < len(command.get_short_help_str(100)) <= 67


REPORTING = [
    "containers",
    "diff",
    "generations list",
    "generations show",
    "generations diff",
    "rollback",
    "status",
    "logs",
    "events",
    "unset",
    "apply",
    "try confirm",
    "try revert",
]


@pytest.mark.parametrize("path", REPORTING)
def test_what_is_reported_can_be_said_to_programs(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(GROUP, NOWHERE, [*path.split(), "--help"])
    assert "--json" in capsys.readouterr().out


def test_only_the_called_verb_is_loaded() -> None:
    code = (
        "import sys; from pinwheel.node.apiclient import main; sys.argv = ['apiclient', '-s', '/x', 'get']; main();"
        "print(sorted(name for name in sys.modules if name.startswith('pinwheel.api.client.verbs.')))"
        "; print({'wsproto', 'tomllib', 'urllib.request', 'msgspec', 'asyncio'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = ["effect", "raw", "settings"]
    assert done.stdout.splitlines() == [str([f"pinwheel.api.client.verbs.{name}" for name in modules]), "set()"]
