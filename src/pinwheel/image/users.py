# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Users and groups of the image: those of Debian's packages, and those that `sysusers.d` of ours declares.

They are entered at build, by systemd's own tool: /etc is part of the verified root. Nobody logs in on a node, so there
are no passwords, and no files for them.
"""

from pathlib import Path

from pinwheel.image.toolbox import Toolbox

DECLARATION = "usr/lib/sysusers.d/pinwheel.conf"
_LEFT_OVER = ("shadow", "gshadow", "passwd-", "group-", "shadow-", "gshadow-", ".pwd.lock", ".updated")
"""What the tool writes besides: files of passwords, copies, its lock."""


def add_users(root: Path, toolbox: Toolbox) -> None:
    """Enter the declared users and groups into /etc/passwd and /etc/group below `root`.

    Raises:
        EnvironmentFault: the declaration is wrong, or a number is taken.
    """
    declaration = root / DECLARATION
    toolbox.run(["systemd-sysusers", f"--root={root}", declaration.name], writable=[root], root=True)
    toolbox.run(["rm", "-f", *(root / "etc" / name for name in _LEFT_OVER)], writable=[root], root=True)
