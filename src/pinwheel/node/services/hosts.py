# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The names that the node knows by itself: `/etc/hosts` is a link to this file."""

from pinwheel.node.files import RenderedFile
from pinwheel.node.paths import HOSTS
from pinwheel.node.serialize import hosts_file
from pinwheel.node.services.service import Files
from pinwheel.settings.tree import Settings


def render(settings: Settings) -> Files:
    """Give the node's own names, then those of the settings."""
    own = [settings.network.hostname] if settings.network.hostname else []
    entries = [
        ("127.0.0.1", ["localhost", *own]),
        ("::1", ["localhost", "ip6-localhost", "ip6-loopback", *own]),
        *((entry.address, entry.names) for entry in settings.network.hosts),
    ]
    return {HOSTS: RenderedFile(hosts_file(entries))}
