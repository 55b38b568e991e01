# SPDX-License-Identifier: Apache-2.0 OR MIT
"""`apiclient`: the node's API from a command line, on the node's own programs and in host containers.

It has no privilege of its own: whoever may open the API's socket could say the same to it without this program.
"""

import sys

from pinwheel.api.client.group import make_group, run
from pinwheel.api.client.session import Session
from pinwheel.api.client.transport import UnixTransport


def main() -> int:
    """Run the command line that this process was started with, and give its exit code."""
    group = make_group("Ask and change the node through its API.")
    return run(group, Session(UnixTransport()), sys.argv[1:])
