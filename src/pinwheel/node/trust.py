# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Whom node code trusts as a client of a server elsewhere: the image's authorities, and those of the settings."""

from typing import TYPE_CHECKING

from pinwheel.node.paths import AUTHORITIES, TRUSTED, Paths

if TYPE_CHECKING:
    from ssl import SSLContext


def client_context(paths: Paths) -> "SSLContext":
    """Give what a client checks a server's certificate by; raises OSError when the image's bundle cannot be read."""
    import ssl  # costs start time

    context = ssl.create_default_context(cafile=str(paths.at(AUTHORITIES)))
    for bundle in sorted(paths.at(TRUSTED).glob("*.pem")):
        context.load_verify_locations(bundle)
    return context
