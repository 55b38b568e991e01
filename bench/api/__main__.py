# SPDX-License-Identifier: Apache-2.0 OR MIT
"""`python -m bench.api`, which `pinwheel bench api` starts."""

import argparse
import json
import os
import platform
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.api import measure
from bench.api.figures import COLUMNS, Figure, Pair, Target
from bench.api.image_root import unpack
from bench.api.node import MeasuredNode, start
from bench.boot.ending import unwind_on_signals
from bench.boot.surroundings import cpu_model, load
from tests.support.run_directory import RunDirectory

from pinwheel.cli.screen import ScreenProgress, err, out, print_table
from pinwheel.errors import ExitCode, PinwheelError
from pinwheel.image.build import build_image
from pinwheel.image.inputs import BuildContext, get_toolbox
from pinwheel.paths import cache_directory
from pinwheel.progress import Progress

VARIANT = "docker"
USER_DATA = Path(__file__).with_name("user-data.toml")
QUIET = 0.7
"""A load average above this before the first request is worth a warning."""
_MB = 1000**2

LEGEND = """
Floors: of GET a bare ASGI application on uvicorn; of changes the write + fsync + rename of the same bytes; of the first
answer from idle a start of the same launcher that does nothing. Memory: proportional set size while both serve, and
nothing else of ours runs. Idle: seconds without a request until the last process was gone."""


@dataclass(frozen=True)
class Samples:
    """Everything that a run measures; seconds and bytes."""

    get: Pair
    change: Pair
    document: Pair
    first_get: Pair
    first_change: Pair
    memory: dict[str, dict[str, int]]
    gone_after: dict[str, float]
    resident: list[str]
    """What was still running after the silence."""


def main() -> None:
    """Run the bench; exit 3 when something that is to be reached was missed, 128 and its number after a signal."""
    arguments = _arguments()
    unwind_on_signals()
    try:
        missed = _run(arguments)
    except (PinwheelError, OSError) as error:
        err.print("error:", style="bold red", end=" ")
        err.print(str(error), markup=False)
        sys.exit(error.exit_code if isinstance(error, PinwheelError) else ExitCode.ENVIRONMENT)
    sys.exit(ExitCode.CHECK_FAILED if missed else ExitCode.OK)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.api", description="Measure the settings API.")
    parser.add_argument("--requests", type=int, default=2000, help="GETs; a fifth of it for each kind of change")
    parser.add_argument("--runs", type=int, default=30, help="starts from idle, of each kind")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured to this file")
    return parser.parse_args()


def _run(arguments: argparse.Namespace) -> bool:
    progress = ScreenProgress()
    context = BuildContext(progress)
    toolbox = get_toolbox(context)
    roots = unpack(build_image(VARIANT, context), toolbox, cache_directory() / "bench", progress)
    before = load()
    if before > QUIET:
        progress.warn(f"the load average is {before:.1f}: other work on this machine will be in the figures")
    with (
        RunDirectory(cache_directory() / "bench-runs") as run,
        start(roots, run.path, USER_DATA.read_bytes()) as measured,
    ):
        samples = _measure(measured, arguments.requests, arguments.runs, progress)
    figures = _figures(samples)
    print_table(COLUMNS, (figure.cells() for figure in figures))
    out.print(LEGEND, markup=False)
    if arguments.json:
        document = _document(figures, samples, before)
        arguments.json.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return any(figure.met is False for figure in figures)


def _measure(node: MeasuredNode, requests: int, runs: int, progress: Progress) -> Samples:
    commits = max(1, requests // 5)
    with progress.step(f"GET /settings, {requests} times"):
        get = measure.answers(node, requests)
    with progress.step(f"Set, commit and apply one key, {commits} times"):
        change = measure.changes(node, commits, measure.one_key)
    with progress.step(f"Apply the whole document, {commits} times"):
        document = measure.changes(node, commits, measure.whole_document(measure.what_is_set(node)))
    with progress.step(f"First answers from idle, {runs} times"):
        first_get = measure.starts(node, runs, lambda _number: measure.GET)
    with progress.step(f"First changes from idle, {runs} times"):
        first_change = measure.starts(node, runs, measure.one_key)
    memory = measure.memory(node)
    with progress.step(f"Silence, for at most {measure.SILENCE:g} s"):
        gone_after = measure.silence(node)
    return Samples(get, change, document, first_get, first_change, memory, gone_after, sorted(node.running()))


def _figures(samples: Samples) -> list[Figure]:
    pss = {name: values["pss"] / _MB for name, values in samples.memory.items()}
    return [
        *samples.get.figures("GET /settings", Target(times=3)),
        *samples.change.figures("set + commit + apply, one key", Target(times=3, more=10)),
        *samples.document.figures("apply of the whole document"),
        *samples.first_get.figures("first answer from idle", Target(times=15)),
        *samples.first_change.figures("first set + commit + apply from idle"),
        *(Figure(f"memory of {name}", "MB PSS", value) for name, value in pss.items()),
        Figure("memory of both", "MB PSS", sum(pss.values()), target=Target(more=60)),
        Figure("idle until the last process left", "s", max(samples.gone_after.values(), default=measure.SILENCE)),
        Figure(f"processes after {measure.SILENCE:g} s idle", "", len(samples.resident), target=Target(more=0)),
    ]


def _document(figures: list[Figure], samples: Samples, before: float) -> dict[str, object]:
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": sys.argv[1:],
        "surroundings": {
            "cpu": cpu_model(Path("/proc/cpuinfo").read_text()),
            "cores": os.cpu_count(),
            "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
            "kernel": platform.release(),
            "load_before": before,
        },
        "figures": [figure.document() for figure in figures],
        "samples": asdict(samples),
    }


if __name__ == "__main__":
    main()
