# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What an image is made of, read from a Debian tree."""

import pytest

from pinwheel.errors import CheckFailed
from pinwheel.image.components import WheelFacts, pruned_summary, read_packages


def test_only_packages_with_files_in_the_image_are_contained(debian_tree):
    packages = read_packages(debian_tree, {"usr/bin/tool"}, {"tool++": "ab" * 32})
    assert [(one.name, one.version, one.source, one.source_version) for one in packages] == [
        ("tool++", "2:1.0-1", "tool", "2:1.0-1")
    ]
    assert packages[0].sha256 == "ab" * 32
    assert (packages[0].files, packages[0].size) == (1, len("program"))


def test_files_listed_below_lib_count_where_the_merged_usr_has_them(debian_tree):
    (package,) = read_packages(debian_tree, {"usr/lib/libtool.so.1"}, {})
    assert (package.name, package.source, package.source_version) == ("libtool1", "tool", "2:1.0-1")


def test_a_copyright_file_is_found_through_a_linked_directory(debian_tree):
    (package,) = read_packages(debian_tree, {"usr/lib/libtool.so.1"}, {})
    assert package.copyright.startswith("Format: ")


def test_directories_alone_do_not_make_a_package_contained(debian_tree):
    assert read_packages(debian_tree, {"lib", "usr", "usr/bin"}, {}) == ()


def test_a_package_that_is_there_in_another_form_is_named(debian_tree):
    assert [one.name for one in read_packages(debian_tree, set(), {}, always={"oldtool"})] == ["oldtool"]


def test_a_package_without_copyright_file_fails_by_name(debian_tree):
    (debian_tree / "usr/share/doc/oldtool/copyright").unlink()
    with pytest.raises(CheckFailed, match="oldtool"):
        read_packages(debian_tree, {"usr/bin/oldtool", "usr/bin/tool"}, {})


def test_what_was_pruned_is_summed_by_package(debian_tree):
    summary = pruned_summary(debian_tree, {"usr/bin/tool", "usr/lib/libtool.so.1"})
    assert summary["oldtool"] == {"files": 1, "bytes": len("old program")}
    assert summary["tool++"]["files"] == 2
    assert "removed" not in summary


def test_package_urls_are_encoded(debian_tree):
    (package,) = read_packages(debian_tree, {"usr/bin/tool"}, {})
    assert package.purl == "pkg:deb/debian/tool%2B%2B@2:1.0-1?arch=amd64"
    assert WheelFacts("Typing_Extensions", "4.0+local", "").purl == "pkg:pypi/typing-extensions@4.0%2Blocal"
