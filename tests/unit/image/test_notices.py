# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The third-party notice of an image."""

import pytest

from pinwheel.image.components import Components, WheelFacts, read_packages
from pinwheel.image.notices import make_notices


@pytest.fixture
def notices(debian_tree) -> str:
    packages = read_packages(debian_tree, {"usr/bin/tool", "usr/lib/libtool.so.1", "usr/bin/oldtool"}, {})
    wheel = WheelFacts(
        "pydantic", "2.0", "cd" * 32, "MIT", "Somebody", licence_files={"LICENSE": "The MIT License (MIT)"}
    )
    return make_notices("pinwheel-docker 0.1.0", Components(packages, (wheel,)), debian_tree)


def test_every_package_is_named_with_its_version_and_its_source(notices):
    assert "tool++ 2:1.0-1, source: tool 2:1.0-1" in notices
    assert "libtool1 2:1.0-1+b2, source: tool 2:1.0-1" in notices
    assert "oldtool 3, source: oldtool 3" in notices
    assert "pydantic 2.0 (Python package), by Somebody" in notices


def test_packages_that_share_a_copyright_text_share_its_section(notices):
    assert notices.count("on Tuesdays") == 1


def test_the_licence_files_of_wheels_are_there(notices):
    assert "The MIT License (MIT)" in notices


def test_common_licences_are_added_once_the_unversioned_by_its_link(notices):
    assert notices.count("GNU GENERAL PUBLIC LICENSE Version 2") == 1
    assert notices.count("GNU GENERAL PUBLIC LICENSE Version 3") == 1


def test_packages_that_left_no_file_are_not_named(debian_tree):
    packages = read_packages(debian_tree, {"usr/bin/tool"}, {})
    assert "oldtool" not in make_notices("image", Components(packages), debian_tree)
