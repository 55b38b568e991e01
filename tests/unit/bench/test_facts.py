# SPDX-License-Identifier: Apache-2.0 OR MIT
from bench.boot.facts import FileCounts, count_files, ext4_used_bytes, installed_packages

STATUS = """\
Package: systemd
Status: install ok installed
Version: 257.8-1~deb13u2
Description: system and service manager
 Version: of the description, not of the package

Package: purged
Status: deinstall ok config-files
Version: 1

Package: docker.io
Status: install ok installed
Version: 26.1.5+dfsg1-9+b7
"""

HEADER = """\
Filesystem volume name:   root
Inode count:              131072
Block count:              524288
Reserved block count:     26214
Overhead clusters:        25959
Free blocks:              290487
Free inodes:              105514
First block:              0
Block size:               4096
"""


def test_only_installed_packages_count():
    assert installed_packages(STATUS) == {"systemd": "257.8-1~deb13u2", "docker.io": "26.1.5+dfsg1-9+b7"}


def test_used_bytes_leave_out_the_file_systems_own():
    assert ext4_used_bytes(HEADER) == (524288 - 290487 - 25959) * 4096


def test_a_file_that_anybody_may_execute_counts():
    files = [("bin/true", 0o755), ("bin/sudo", 0o4755), ("lib/libc.so.6", 0o644), ("sbin/own", 0o700)]
    assert count_files(files) == FileCounts(executables=3, setuid=1)
