# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What every kind of test shares: the real toolbox and the real image, each made once."""

import pytest

from pinwheel.image.build import BuiltImage, ensure_image
from pinwheel.image.inputs import BuildContext, get_toolbox
from pinwheel.image.toolbox import Toolbox
from pinwheel.progress import SilentProgress


@pytest.fixture(scope="session")
def toolbox() -> Toolbox:
    """The project's toolbox, made when the cache does not have it."""
    return get_toolbox(BuildContext(SilentProgress()))


@pytest.fixture(scope="session")
def image() -> BuiltImage:
    """The image of the variant `docker` as the checkout says it is now."""
    return ensure_image("docker", SilentProgress())
