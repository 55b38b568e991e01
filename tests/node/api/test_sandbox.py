# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What systemd itself says of the sandbox of the services that listen."""

import json
from pathlib import Path

import pytest

from pinwheel.image.toolbox import Toolbox
from pinwheel.paths import PROJECT

UNITS = PROJECT / "os/root/usr/lib/systemd/system"
SERVICES = ("pinwheel-api.service", "pinwheel-api-remote.service")
MAX_EXPOSURE = 2.0
"""Of 10; what the issue asks for."""


@pytest.mark.parametrize("name", SERVICES)
def test_what_listens_is_hardly_exposed(toolbox: Toolbox, name: str) -> None:
    command: list[str | Path] = ["systemd-analyze", "security", "--offline=true", "--no-pager"]
    checks = json.loads(toolbox.run([*command, "--json=short", UNITS / name], readable=[UNITS]))
    assert len(checks) > 50
    threshold = f"--threshold={MAX_EXPOSURE * 10:.0f}"  # systemd-analyze counts to 100
    toolbox.run([*command, threshold, UNITS / name], readable=[UNITS])  # raises above it


def test_the_threshold_is_one(toolbox: Toolbox, tmp_path: Path) -> None:
    bare = tmp_path / "bare.service"
    bare.write_text("[Service]\nExecStart=/usr/lib/pinwheel/launch api\nUser=pinwheel-api\n")
    with pytest.raises(Exception, match=r"systemd-analyze failed"):
        toolbox.run(["systemd-analyze", "security", "--offline=true", "--threshold=20", bare], readable=[tmp_path])


def test_both_services_differ_in_nothing_but_their_names_and_keys() -> None:
    local, remote = (set((UNITS / name).read_text().splitlines()) for name in SERVICES)
    assert {line for line in remote - local if not line.startswith(("#", "LoadCredential="))} == {
        "Description=Settings API for the Network",
        "After=network.target",
        "RuntimeDirectory=pinwheel-api-remote",
        "BindPaths=/run/pinwheel-api-remote",
        "NoExecPaths=/ /run/pinwheel-api-remote",
    }
    assert {line.partition("=")[0] for line in local - remote if not line.startswith("#")} == {
        "Description",
        "RuntimeDirectory",
        "BindPaths",
        "NoExecPaths",
    }
