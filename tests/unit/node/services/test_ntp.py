# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What timesyncd is told."""

from pinwheel.node.paths import TIMESYNCD
from pinwheel.node.services.ntp import render
from pinwheel.settings.system import Ntp
from pinwheel.settings.tree import Settings


def test_time_servers_keep_their_order():
    files = render(Settings(ntp=Ntp(time_servers=["b", "a"])))
    assert files[TIMESYNCD].content == b"[Time]\nNTP=b a\n\n"


def test_timesyncd_is_left_alone_without_time_servers():
    assert render(Settings()) == {}
