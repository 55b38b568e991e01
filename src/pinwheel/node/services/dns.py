# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Looking up names: systemd-resolved's part, resolved.conf(5).

That servers and domains of DHCP give way is networkd's part: `network`.
"""

from pinwheel.node.files import RenderedFile
from pinwheel.node.paths import RESOLVED
from pinwheel.node.serialize import ini_file
from pinwheel.node.services.service import Files
from pinwheel.settings.tree import Settings


def render(settings: Settings) -> Files:
    """Name the servers and the domains to search."""
    given = {"DNS": settings.dns.name_servers, "Domains": settings.dns.search_list}
    section = {key: " ".join(values) for key, values in given.items() if values}
    return {RESOLVED: RenderedFile(ini_file({"Resolve": section}))} if section else {}
