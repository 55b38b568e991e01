# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The clock: systemd-timesyncd's part of timesyncd.conf(5)."""

from pinwheel.node.files import RenderedFile
from pinwheel.node.paths import TIMESYNCD
from pinwheel.node.serialize import ini_file
from pinwheel.node.services.service import Files
from pinwheel.settings.tree import Settings

DEFAULT_POLL = (32, 2048)
"""The least and the most seconds between two questions, as timesyncd has them by itself."""


def render(settings: Settings) -> Files:
    """Name the time servers, and how often they are asked; without any, timesyncd takes those of DHCP and its own."""
    section = {"NTP": " ".join(settings.ntp.time_servers)} if settings.ntp.time_servers else {}
    section |= _poll(*settings.ntp.poll_seconds)
    return {TIMESYNCD: RenderedFile(ini_file({"Time": section}))} if section else {}


def _poll(least: int | None, most: int | None) -> dict[str, str]:
    """Give both bounds when one is set: a bound of timesyncd's own may be beyond it."""
    if least is None and most is None:
        return {}
    low = least or min(DEFAULT_POLL[0], most or DEFAULT_POLL[0])
    return {"PollIntervalMinSec": f"{low}s", "PollIntervalMaxSec": f"{most or max(DEFAULT_POLL[1], low)}s"}
