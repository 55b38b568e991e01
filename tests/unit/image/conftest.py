# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A small Debian tree: dpkg's database, copyright files and a few packages, as an unpruned root has them."""

from pathlib import Path

import pytest

STATUS = """\
Package: libtool1
Status: install ok installed
Maintainer: Tool Team <team+tool@tracker.debian.org>
Architecture: amd64
Source: tool (2:1.0-1)
Version: 2:1.0-1+b2
Homepage: https://tool.example.org/
Description: library of a tool
 More about it.

Package: tool++
Status: install ok installed
Maintainer: Ada Lovelace <ada@debian.org>
Architecture: amd64
Source: tool
Version: 2:1.0-1
Description: a tool

Package: oldtool
Status: install ok installed
Maintainer: Ada Lovelace <ada@debian.org>
Architecture: all
Version: 3
Description: an old tool

Package: removed
Status: deinstall ok config-files
Maintainer: Ada Lovelace <ada@debian.org>
Architecture: all
Version: 1
"""

COPYRIGHT = """\
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: tool

Files: *
Copyright: 2020 Ada Lovelace
License: GPL-2+

Files: lib/*
Copyright: 2021 Ada Lovelace
License: LGPL-2.1 or Expat, and Weird

License: GPL-2+
 On Debian systems, the text is in /usr/share/common-licenses/GPL-2.

License: Weird
 You may do as you like
 on Tuesdays.
"""

OLD_COPYRIGHT = "This is oldtool.\nIts licence is a long story; see /usr/share/common-licenses/GPL.\n"


@pytest.fixture
def debian_tree(tmp_path: Path) -> Path:
    """Give a tree with libtool1 (which links its documentation to that of tool++), tool++ and oldtool."""
    root = tmp_path / "tree"
    files = {
        "var/lib/dpkg/status": STATUS,
        "var/lib/dpkg/info/libtool1:amd64.list": "/.\n/lib\n/lib/libtool.so.1\n/usr/share/doc/libtool1\n",
        "var/lib/dpkg/info/tool++.list": "/.\n/usr/bin/tool\n/usr/share/doc/tool++/copyright\n/usr/share/man/tool.1\n",
        "var/lib/dpkg/info/oldtool.list": "/.\n/usr/bin/oldtool\n",
        "usr/lib/libtool.so.1": "library",
        "usr/bin/tool": "program",
        "usr/bin/oldtool": "old program",
        "usr/share/man/tool.1": "manual page",
        "usr/share/doc/tool++/copyright": COPYRIGHT,
        "usr/share/doc/oldtool/copyright": OLD_COPYRIGHT,
        "usr/share/common-licenses/GPL-2": "GNU GENERAL PUBLIC LICENSE Version 2\n",
        "usr/share/common-licenses/GPL-3": "GNU GENERAL PUBLIC LICENSE Version 3\n",
    }
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    (root / "lib").symlink_to("usr/lib")
    (root / "usr/share/doc/libtool1").symlink_to("/usr/share/doc/tool++")
    (root / "usr/share/common-licenses/GPL").symlink_to("GPL-3")
    return root
