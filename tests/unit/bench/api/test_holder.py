# SPDX-License-Identifier: Apache-2.0 OR MIT
from pathlib import Path

import pytest
from bench.api.holder import User, group, user


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("root:x:0:0::/root:/bin/false\npinwheel-api:x:980:981::/:/bin/false\n")
    (tmp_path / "etc/group").write_text("root:x:0:\napi:x:982:someone\n")
    return tmp_path


def test_users_and_groups_are_the_images(root: Path):
    assert user(root, "pinwheel-api") == User(980, 981)
    assert group(root, "api") == 982


def test_a_user_that_the_image_lacks_is_an_error(root: Path):
    with pytest.raises(KeyError):
        user(root, "pinwheel")
