# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Boot both systems by turns, so that what changes on the workstation meanwhile meets both."""

from pathlib import Path

from bench.boot.pinwheel_boot import boot_pinwheel
from bench.boot.result import Boot
from bench.boot.settings import Settings
from bench.boot.stock_boot import boot_stock
from tests.support.registry import Registry

from pinwheel.progress import Progress


def boot_by_turns(
    ours: Path, stock: Path, runs: int, settings: Settings, progress: Progress
) -> tuple[list[Boot], list[Boot]]:
    """Boot two raw disks `runs` times each: first Pinwheel's, then the stock system's.

    Raises:
        TimeoutError: one of them did not get where it should.
        EnvironmentFault: a tool failed.
    """
    boots: tuple[list[Boot], list[Boot]] = ([], [])
    with Registry(settings.toolbox) as registry:
        reference = registry.push_busybox()
        for number in range(1, runs + 1):
            with progress.step(f"Boot {number} of {runs}: Pinwheel"):
                boots[0].append(boot_pinwheel(ours, reference, registry.endpoint, settings, "pinwheel"))
            with progress.step(f"Boot {number} of {runs}: stock Debian"):
                boots[1].append(boot_stock(stock, reference, registry.endpoint, settings, "stock"))
    return boots
