# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What the command line shows: steps with their times, warnings, tables, JSON.

Results go to standard output, all about the way there to standard error: `pinwheel ... --json | jq` always works.
"""

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from pinwheel.progress import SilentStep, Step

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


class ScreenProgress:
    """Steps on standard error: a bar while one runs, a line with its time when done (`pinwheel.progress.Progress`)."""

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """See `Progress.step`."""
        started = time.monotonic()
        if not err.is_terminal:
            # In a log: a line when the step is done, and none of the drawing.
            yield SilentStep()
            err.print(f"  ✓ {title} {time.monotonic() - started:.1f} s", markup=False)
            return
        text, note = TextColumn("{task.description}"), TextColumn("{task.fields[note]}")
        columns = (SpinnerColumn(), text, BarColumn(bar_width=24), note, TimeElapsedColumn())
        with Progress(*columns, console=err, transient=True) as bars:
            yield ScreenStep(bars, bars.add_task(escape(title), total=None, note=""))
        err.print(Text.assemble(("  ✓ ", "green"), title, (f" {time.monotonic() - started:.1f} s", "dim")))

    def warn(self, message: str) -> None:
        """See `Progress.warn`."""
        err.print(Text.assemble(("  ! ", "yellow"), message))


class ScreenStep:
    """One bar (`pinwheel.progress.Step`)."""

    def __init__(self, bars: Progress, task: TaskID) -> None:
        self._bars = bars
        self._task = task

    def total(self, amount: float) -> None:
        """See `Step.total`."""
        self._bars.update(self._task, total=amount)

    def advance(self, amount: float = 1) -> None:
        """See `Step.advance`."""
        self._bars.advance(self._task, amount)

    def note(self, text: str) -> None:
        """See `Step.note`."""
        self._bars.update(self._task, note=escape(text))


def print_json(value: Any) -> None:  # noqa: ANN401 - whatever JSON can say
    """Print one JSON document for programs: no colour, no wrapping, keys as given."""
    print(json.dumps(value, indent=2, default=str))


def print_table(columns: Iterable[str], rows: Iterable[Iterable[object]], title: str = "") -> None:
    """Print a table without frames: it stays readable in a pipe."""
    table = Table(*columns, title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(Text(str(cell), overflow="fold") for cell in row))
    out.print(table)


def human_size(size: float) -> str:
    """Say a number of bytes in decimal units: 1.5 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(size) < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
