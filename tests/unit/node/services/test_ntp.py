# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What timesyncd is told."""

import pytest

from pinwheel.node.paths import TIMESYNCD
from pinwheel.node.services.ntp import render
from pinwheel.settings.system import Ntp
from pinwheel.settings.tree import Settings


def test_time_servers_keep_their_order():
    files = render(Settings(ntp=Ntp(time_servers=["b", "a"])))
    assert files[TIMESYNCD].content == b"[Time]\nNTP=b a\n\n"


def test_timesyncd_is_left_alone_without_time_servers():
    assert render(Settings()) == {}


@pytest.mark.parametrize(
    ("options", "bounds"),
    [
        (["iburst", "minpoll 6", "maxpoll 10"], ("64s", "1024s")),
        (["maxpoll 4"], ("16s", "16s")),
        (["minpoll 12"], ("4096s", "4096s")),
        (["maxpoll 12"], ("32s", "4096s")),
    ],
)
def test_bounds_of_the_time_between_two_questions_are_in_order(options, bounds):
    content = render(Settings(ntp=Ntp(options=options)))[TIMESYNCD].content.decode()
    assert content == f"[Time]\nPollIntervalMinSec={bounds[0]}\nPollIntervalMaxSec={bounds[1]}\n\n"


def test_asking_at_once_is_what_timesyncd_does_anyway():
    assert render(Settings(ntp=Ntp(options=["iburst"]))) == {}
