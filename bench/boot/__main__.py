# SPDX-License-Identifier: Apache-2.0 OR MIT
"""`python -m bench.boot`, which `pinwheel bench boot` starts."""

import argparse
import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from bench.boot import surroundings
from bench.boot.ending import unwind_on_signals
from bench.boot.pinwheel_boot import ASKED_FOR
from bench.boot.pinwheel_image import weigh
from bench.boot.report import COLUMNS, Row, System, rows
from bench.boot.result import Boot
from bench.boot.settings import Settings
from bench.boot.stock import StockImage, ensure_stock_image
from bench.boot.turns import boot_by_turns
from tests.support.run_directory import RunDirectory

from pinwheel.cli.screen import ScreenProgress, err, out, print_table
from pinwheel.errors import ExitCode, PinwheelError
from pinwheel.image.build import build_image
from pinwheel.image.inputs import BuildContext, get_toolbox
from pinwheel.image.keys import secure_boot_keys
from pinwheel.paths import cache_directory

VARIANT = "docker"
LEGEND = f"""
Medians, with the range in brackets; ratio: Pinwheel / stock. Times: from the start of QEMU; processor time: of QEMU,
until the first container's output. Memory, half a minute later: MemTotal - MemFree - Buffers - Cached - SReclaimable,
and MemTotal - MemAvailable. Ports: without {" and ".join(ASKED_FOR)}, which the bench's own user data
asks for. Root: used blocks of ext4, or the erofs image. Kernel and initrd: the unified kernel image, where it is one.
Download: the raw disk image by zstd -10."""

QUIET = 0.7
"""A load average above this before the first boot is worth a warning: others' work is then in the figures."""


def main() -> None:
    """Run the bench; exit 3 when something that is to be reached was missed, 128 and its number after a signal."""
    arguments = _arguments()
    unwind_on_signals()
    try:
        missed = _run(arguments.runs, arguments.json)
    except (PinwheelError, TimeoutError) as error:
        err.print("error:", style="bold red", end=" ")
        err.print(str(error), markup=False)
        sys.exit(error.exit_code if isinstance(error, PinwheelError) else ExitCode.ENVIRONMENT)
    sys.exit(ExitCode.CHECK_FAILED if missed else ExitCode.OK)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.boot", description="Compare Pinwheel with stock Debian.")
    parser.add_argument("--runs", type=int, default=3, help="boots of each system (default: 3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured to this file")
    return parser.parse_args()


def _run(runs: int, target: Path | None) -> bool:
    progress = ScreenProgress()
    context = BuildContext(progress)
    toolbox = get_toolbox(context)
    ours = build_image(VARIANT, context)
    stock = ensure_stock_image(toolbox, context.find_mirror, context.cache, progress)
    with progress.step("Weighing the image"):
        facts = weigh(ours, toolbox, cache_directory() / "bench")
    load = surroundings.load()
    if load > QUIET:
        progress.warn(f"the load average is {load:.1f}: other work on this machine will be in the figures")
    with RunDirectory(cache_directory() / "bench-runs") as run:
        settings = Settings(toolbox, run.store, secure_boot_keys())
        boots = boot_by_turns(ours.disk, stock.disk, runs, settings, progress)
    table = rows(System(facts, boots[0], frozenset(ASKED_FOR)), System(stock.facts, boots[1]))
    _show(table)
    if target:
        document = _document(table, boots, settings, stock, load)
        target.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return any(row.met is False for row in table)


def _show(table: list[Row]) -> None:
    print_table(COLUMNS, (row.cells() for row in table))
    out.print(LEGEND, markup=False)


def _document(
    table: list[Row], boots: tuple[list[Boot], list[Boot]], settings: Settings, stock: StockImage, load: float
) -> dict[str, object]:
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": sys.argv[1:],
        "surroundings": surroundings.surroundings(settings) | {"load_before": load},
        "stock": {"built": stock.built, "versions": stock.versions},
        "rows": [row.document() for row in table],
        "boots": {"pinwheel": [asdict(boot) for boot in boots[0]], "stock": [asdict(boot) for boot in boots[1]]},
    }


if __name__ == "__main__":
    main()
