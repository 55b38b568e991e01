# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The dashboard's screen, driven as a user would, against the real service; the node goes away and comes back."""

import asyncio
import json
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from tests.node.actuator.conftest import Actuator
from tests.node.api.test_streams import ENTRIES
from tests.support.api_service import running
from tests.support.node_root import program, put
from textual.pilot import Pilot
from textual.widgets import DataTable, RichLog, Static

from pinwheel.api.client.transport import UnixTransport
from pinwheel.cli.dashboard.app import Dashboard
from pinwheel.cli.dashboard.source import Watch
from pinwheel.image.api_description import write_api_description
from pinwheel.node.paths import CGROUPS, Paths

PATIENCE = 20.0


@pytest.fixture
def prepared(actuator: Actuator, root: Paths) -> Paths:
    write_api_description(root.root)
    put(root, "/proc/stat", "cpu  100 0 50 1000 5 0 1 0 0 0\n")
    put(root, "/proc/meminfo", "MemTotal: 2048 kB\nMemAvailable: 1024 kB\n")
    put(root, f"{CGROUPS}/system.slice/docker.service/memory.current", "1048576\n")
    put(root, f"{CGROUPS}/system.slice/docker.service/cpu.stat", "usage_usec 1000000\n")
    entries = "\n".join(f"echo '{json.dumps(entry)}'" for entry in ENTRIES)
    # Following, it stays until the service that started it has gone.
    program(root, "/usr/bin/journalctl", f'{entries}\ncase "$*" in *--follow*) exec sleep 60;; esac')
    return root


def dashboard(root: Paths) -> Dashboard:
    return Dashboard("web", Watch(UnixTransport(str(root.at("/run/api.sock"))), 0.2))


async def until(pilot: Pilot[None], happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not happened():
            await pilot.pause(0.05)


def head(app: Dashboard) -> str:
    return str(app.query_one("#head", Static).render())


def cells(app: Dashboard, table: str) -> list[list[str]]:
    found = app.query_one(f"#{table}", DataTable)
    return [[str(cell) for cell in found.get_row_at(row)] for row in range(found.row_count)]


def log(app: Dashboard) -> list[str]:
    return [line.text for line in app.query_one("#log", RichLog).lines]


def test_everything_of_the_node_is_on_the_screen(prepared: Paths, actuator: Actuator) -> None:
    async def use() -> None:
        app = dashboard(prepared)
        async with app.run_test(size=(140, 50)) as pilot:
            await until(pilot, lambda: "not ready" in head(app) and len(log(app)) == len(ENTRIES))
            state = str(app.query_one("#state", Static).render())
            assert "not ready: the container engine does not answer" in state
            assert "1 MiB of 2 MiB" in state
            assert (
                cells(app, "units") == [["docker.service", "1 MiB", "0 %"]]
                or cells(app, "units")[0][0] == "docker.service"
            )
            assert log(app)[0] == "2026-01-01 00:00:00 a.service: first"
            service.ask("PATCH", "/settings?commit=true&reason=test", {"motd": "x"})
            await until(pilot, lambda: [row[0] for row in cells(app, "generations")] == ["1"])
            assert cells(app, "generations")[0][3] == "test"
            await pilot.press("q")
        assert app.return_code == 0

    with running(prepared, actuator=actuator.socket_path) as service:
        asyncio.run(use())


def test_a_node_that_goes_away_is_waited_for_and_its_log_goes_on(prepared: Paths, actuator: Actuator) -> None:
    async def use() -> None:
        app = dashboard(prepared)
        async with app.run_test(size=(140, 50)) as pilot:
            await until(pilot, lambda: "away" in head(app))  # there is no node yet
            with ExitStack() as stack:
                stack.enter_context(running(prepared, actuator=actuator.socket_path))
                await until(pilot, lambda: "not ready" in head(app) and len(log(app)) == len(ENTRIES))
            await until(pilot, lambda: "away for" in head(app))
            assert app.query_one("#middle").has_class("away")
            assert cells(app, "units")  # what was seen last stays
            later = ENTRIES[1] | {"__REALTIME_TIMESTAMP": "1767225602000000", "MESSAGE": "third"}
            everything = "\n".join(f"echo '{json.dumps(entry)}'" for entry in [*ENTRIES, later])
            program(prepared, "/usr/bin/journalctl", f"{everything}\nexec sleep 60")
            with running(prepared, actuator=actuator.socket_path):
                await until(pilot, lambda: "not ready" in head(app) and len(log(app)) > len(ENTRIES))
                assert not app.query_one("#middle").has_class("away")
                assert [line.rpartition(" ")[2] for line in log(app)] == ["first", "second", "third"]

    asyncio.run(use())


def test_the_log_can_be_stopped_and_goes_on(prepared: Paths, actuator: Actuator) -> None:
    async def use() -> None:
        app = dashboard(prepared)
        async with app.run_test() as pilot:
            shown = app.query_one("#log", RichLog)
            await pilot.press("p")
            assert (shown.auto_scroll, shown.border_title) == (False, "Log (paused)")
            await pilot.press("p", "r")
            assert (shown.auto_scroll, shown.border_title) == (True, "Log")

    with running(prepared, actuator=actuator.socket_path):
        asyncio.run(use())


def test_what_a_node_says_does_not_command_the_screen(prepared: Paths, actuator: Actuator) -> None:
    entry = ENTRIES[0] | {"MESSAGE": "[red]\x1b[2J[/nonsense]"}
    program(prepared, "/usr/bin/journalctl", f"cat <<'END'\n{json.dumps(entry)}\nEND")

    async def use() -> None:
        app = dashboard(prepared)
        async with app.run_test(size=(140, 50)) as pilot:
            await until(pilot, lambda: bool(log(app)))
            assert log(app)[0].endswith("[red]\\x1b[2J[/nonsense]")

    with running(prepared, actuator=actuator.socket_path):
        asyncio.run(use())
