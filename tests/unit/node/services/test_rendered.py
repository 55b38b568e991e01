# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Whatever settings are valid: every consumer renders them, into files of its own that its format's reader can read."""

import json
import re
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from tests.support.documents import documents
from tests.support.systemd_files import sections

from pinwheel.node.services.service import rendered
from pinwheel.node.services.table import SERVICES
from pinwheel.settings.reading import read
from pinwheel.settings.tree import Settings

SYSTEMD = {".conf", ".network", ".netdev", ".link"}


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
@given(document=documents(Settings))
def test_valid_settings_are_rendered_into_files_of_the_service(service, document):
    settings = read(Settings, document)[0]
    for path, file in rendered(service, settings).items():
        assert any(_is_of(path, owned) for owned in service.owned)
        assert (file.mode == 0o600) == any(_is_of(path, secret) for secret in service.secret)


def _is_of(path: str, owned: str) -> bool:
    return path == owned or (owned.endswith("/") and path.startswith(owned))


@given(document=documents(Settings))
def test_readers_can_read_what_is_rendered(document):
    settings = read(Settings, document)[0]
    files = {path: file for service in SERVICES for path, file in rendered(service, settings).items()}
    for path, file in files.items():
        if path.endswith(".json"):
            json.loads(file.content)
        elif path.endswith(".env"):
            assert re.fullmatch(rb'([A-Z_]+="(?:[^"\\\n]|\\.)*"\n)+', file.content)
        elif path.startswith(("/run/sysctl.d", "/run/modprobe.d")):
            assert all(len(line.split(None, 2)) >= 2 for line in file.content.decode().splitlines())
        elif PurePosixPath(path).suffix in SYSTEMD:
            assert sections(file.content)
