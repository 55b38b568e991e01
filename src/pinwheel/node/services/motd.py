# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The message on the status screen: `/etc/motd` is a link to it."""

from pinwheel.node.files import RenderedFile
from pinwheel.node.paths import MOTD
from pinwheel.node.services.service import Files
from pinwheel.settings.tree import Settings


def render(settings: Settings) -> Files:
    """Give the message."""
    return {MOTD: RenderedFile(settings.motd.encode() + b"\n")}
