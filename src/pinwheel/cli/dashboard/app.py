# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The dashboard's screen. Textual draws it; what it shows comes from `facts`."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import DataTable, Footer, RichLog, Static

from pinwheel.api.client.text import clean, human_duration
from pinwheel.api.client.verbs.history import author_text
from pinwheel.api.client.verbs.system import log_text
from pinwheel.cli.dashboard import facts
from pinwheel.cli.dashboard.facts import Look
from pinwheel.cli.dashboard.source import Watch

LOG_LINES = 2000
"""Lines of the log that can be scrolled back to."""
_TICK = 1.0
_PRIORITY_STYLES = ((3, "red"), (4, "yellow"), (5, "bold"))
"""Up to this priority of syslog: this style."""


class Dashboard(App[None]):
    """One node: readiness, load, containers, units, history, log."""

    CSS = """
    #head { height: 1; padding: 0 1; }
    #middle { height: 3fr; }
    #left { width: 2fr; }
    #right { width: 3fr; }
    #state { height: auto; max-height: 60%; border: round $primary; padding: 0 1; }
    DataTable { border: round $primary; height: 1fr; }
    #log { height: 2fr; border: round $primary; }
    .away { opacity: 40%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        ("q", "quit", "Quit"),
        ("r", "look", "Look now"),
        ("p", "pause", "Pause the log"),
    ]
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, name: str, watch: Watch) -> None:
        """Take the node's name, and what looks at it."""
        super().__init__()
        self._node = name
        self._watch = watch
        self._before: Look | None = None
        self._now: Look | None = None
        self._failure = ""
        self._away_since = 0.0
        self._paused = False

    def compose(self) -> ComposeResult:
        """See textual."""
        yield Static(id="head")
        with Horizontal(id="middle"):
            with Vertical(id="left"):
                yield Static(id="state")
                yield _table("generations", "Generations", "No", "When", "Who", "Why")
            with Vertical(id="right"):
                yield _table("containers", "Containers", "Name", "Image", "Status", "Memory", "CPU")
                yield _table("units", "Units", "Unit", "Memory", "CPU")
        log = RichLog(id="log", max_lines=LOG_LINES, wrap=False)
        log.border_title = "Log"
        yield log
        yield Footer()

    def on_mount(self) -> None:
        """Start looking."""
        self.query_one("#state").border_title = "Node"
        self._show_head()
        self.set_interval(_TICK, self._show_head)
        self._watch.start(
            lambda look: self.call_from_thread(self.show_look, look),
            lambda line: self.call_from_thread(self.show_line, line),
            lambda words: self.call_from_thread(self.show_failure, words),
        )

    def on_unmount(self) -> None:
        """Stop looking."""
        self._watch.stop()

    def action_look(self) -> None:
        """Look now."""
        self._watch.look_now()

    def action_pause(self) -> None:
        """Stop the log from moving, or let it go on."""
        self._paused = not self._paused
        log = self.query_one("#log", RichLog)
        log.auto_scroll = not self._paused
        log.border_title = "Log (paused)" if self._paused else "Log"

    def show_look(self, look: Look) -> None:
        """Show what a look gave."""
        self._before, self._now, self._failure = self._now, look, ""
        self.query_one("#middle").remove_class("away")
        self._show_head()
        self.query_one("#state", Static).update(Text("\n".join(state_lines(self._before, look))))
        _fill(self.query_one("#containers", DataTable), facts.container_rows(self._before, look))
        _fill(self.query_one("#units", DataTable), facts.unit_rows(self._before, look))
        _fill(self.query_one("#generations", DataTable), generation_rows(look))

    def show_failure(self, words: str) -> None:
        """Say that the node cannot be looked at; what was seen last stays, faintly."""
        if not self._failure:
            self._away_since = time.monotonic()
        self._failure = words
        self.query_one("#middle").add_class("away")
        self._show_head()

    def show_line(self, line: Mapping[str, Any]) -> None:
        """Show a line of the log."""
        style = next((style for limit, style in _PRIORITY_STYLES if line.get("priority", 6) <= limit), "")
        self.query_one("#log", RichLog).write(Text(log_text(line), style=style))

    def _show_head(self) -> None:
        self.query_one("#head", Static).update(self._head())

    def _head(self) -> Text:
        name = (f"{self._node}  ", "bold")
        if self._failure:
            away = human_duration(time.monotonic() - self._away_since)
            return Text.assemble(name, (f"✗ away for {away}: {clean(self._failure)}", "red"))
        if self._now is None:
            return Text.assemble(name, "…")
        ready = bool(self._now.status.get("ready"))
        return Text.assemble(name, ("● ready", "green") if ready else ("○ not ready", "yellow"))


def state_lines(before: Look | None, now: Look) -> list[str]:
    """Give what is said of the node as a whole."""
    status, processors = now.status, facts.busy(before, now)
    used, total = facts.memory(now)
    full, disk = facts.data(now)
    trial = status.get("trial")
    lines = [
        *(f"not ready: {clean(str(reason))}" for reason in status.get("reasons") or ()),
        clean(f"Pinwheel {status.get('version')} ({status.get('variant')}), slot {status.get('slot') or '-'}"),
        clean(f"{status.get('hostname')}  {', '.join(status.get('addresses') or ())}"),
        f"up for {human_duration(status.get('uptime_seconds') or 0)}",
        f"CPU    {facts.bar(processors or 0, 1)} {facts.load(processors) or '-'}",
        f"memory {facts.bar(used, total)} {facts.size(used)} of {facts.size(total)}",
        f"data   {facts.bar(full, disk)} {facts.size(full)} of {facts.size(disk)}",
    ]
    on_trial = f"on trial: generation {trial['generation']} until {clean(str(trial['until']))}" if trial else ""
    return [*lines, on_trial] if on_trial else lines


def generation_rows(now: Look) -> list[tuple[str, str, str, str]]:
    """Give number, time, author and reason of each generation."""
    return [
        (
            f"{one['number']}{' (trial)' if one.get('trial') else ''}",
            clean(str(one["created"])),
            clean(author_text(dict(one["author"]))),
            clean(str(one["reason"])),
        )
        for one in now.generations
    ]


def _table(identifier: str, title: str, *columns: str) -> DataTable[Text]:
    table: DataTable[Text] = DataTable(id=identifier, cursor_type="row", zebra_stripes=True)
    table.border_title = title
    table.add_columns(*columns)
    return table


def _fill(table: DataTable[Text], rows: Iterable[Sequence[str]]) -> None:
    """Show other rows; who has scrolled down stays where they are."""
    row, offset = table.cursor_row, table.scroll_offset
    table.clear()
    for cells in rows:
        table.add_row(*(Text(cell) for cell in cells))
    table.move_cursor(row=row, animate=False, scroll=False)
    table.scroll_to(offset.x, offset.y, animate=False)
