# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Putting the root together: what depends on the checkout and must not."""

from pinwheel.image.assemble import drop_empty_directories, link_commands


def test_directories_without_files_go_and_the_others_stay(tmp_path):
    (tmp_path / "a/empty/deeper").mkdir(parents=True)
    (tmp_path / "b/linked").mkdir(parents=True)
    (tmp_path / "b/linked/unit.service").symlink_to("../unit.service")
    drop_empty_directories(tmp_path)
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == [
        "b",
        "b/linked",
        "b/linked/unit.service",
    ]


def test_a_command_is_a_link_of_its_name_to_the_launcher(tmp_path):
    (tmp_path / "usr/lib/pinwheel").mkdir(parents=True)
    (tmp_path / "usr/lib/pinwheel/launch").touch()
    link_commands(["apiclient"], tmp_path)
    assert (tmp_path / "usr/bin/apiclient").resolve() == tmp_path / "usr/lib/pinwheel/launch"
