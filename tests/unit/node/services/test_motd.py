# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The message of the day."""

from pinwheel.node.paths import MOTD
from pinwheel.node.services.motd import render
from pinwheel.settings.tree import Settings


def test_message_keeps_its_lines_and_ends_with_one():
    assert render(Settings(motd="a\nb"))[MOTD].content == b"a\nb\n"
