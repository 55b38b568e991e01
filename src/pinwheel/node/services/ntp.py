# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The clock: systemd-timesyncd's part of timesyncd.conf(5)."""

from pinwheel.node.files import RenderedFile
from pinwheel.node.paths import TIMESYNCD
from pinwheel.node.serialize import ini_file
from pinwheel.node.services.service import Files
from pinwheel.settings.tree import Settings


def render(settings: Settings) -> Files:
    """Name the time servers; without any, timesyncd takes those of DHCP and its own."""
    servers = settings.ntp.time_servers
    return {TIMESYNCD: RenderedFile(ini_file({"Time": {"NTP": " ".join(servers)}}))} if servers else {}
