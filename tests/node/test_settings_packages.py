# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A variant's own package of settings on its way into an image: compiled, described, read, rendered."""

import json
from pathlib import Path

import pytest

from pinwheel.errors import UsageFault
from pinwheel.image import settings_packages as module
from pinwheel.image.python_runtime import build_python_runtime
from pinwheel.image.settings_packages import EXTENSIONS, SettingsPackages, settings_packages, write_description
from pinwheel.image.toolbox import Toolbox
from pinwheel.paths import PROJECT, cache_directory
from pinwheel.progress import SilentProgress

SOURCES = PROJECT / "tests/support/extension"
ACME = SettingsPackages(("acme_agent",), SOURCES)

ON_THE_NODE = """
import sys
sys.path[:] = [sys.argv[1]]
from pathlib import Path
from pinwheel.node.paths import Paths
from pinwheel.node.services.extensions import configurable
from pinwheel.node.services.service import rendered
from pinwheel.settings.reading import read
model, services = configurable(Paths(Path(sys.argv[2])))
settings, mistakes = read(model, {"acme-agent": {"server": "acme.example.com", "port": 8443}})
assert not mistakes, mistakes
print({path: file.content.decode() for path, file in rendered(services[-1], settings).items()})
"""


def test_package_is_compiled_into_the_image_and_works_there(toolbox: Toolbox, tmp_path: Path) -> None:
    runtime = build_python_runtime(toolbox, tmp_path / "python", cache_directory(), SilentProgress(), packages=ACME)
    assert {"acme_agent", "acme_agent.models", "acme_agent.render"} <= set(runtime.modules)
    write_description(tmp_path / "root", ACME)
    python = ["env", "-i", "/usr/bin/python3", "-I", "-S", "-B", "-c", ON_THE_NODE]
    readable = [tmp_path / "python", tmp_path / "root"]
    said = toolbox.run([*python, tmp_path / "python", tmp_path / "root"], readable=readable).decode()
    assert "/run/acme-agent/config.json" in said
    assert "acme.example.com:8443" in said


def test_schema_and_api_know_its_settings(tmp_path: Path) -> None:
    write_description(tmp_path, ACME)
    assert json.loads((tmp_path / EXTENSIONS).read_text()) == {"packages": ["acme_agent"]}
    for name in ("settings.schema.json", "openapi.json"):
        text = (tmp_path / "usr/share/pinwheel" / name).read_text()
        assert "acme-agent" in text
        assert "The server's port." in text


def test_image_without_packages_names_none(tmp_path: Path) -> None:
    write_description(tmp_path, SettingsPackages())
    assert not (tmp_path / EXTENSIONS).exists()
    assert (tmp_path / "usr/share/pinwheel/settings.schema.json").exists()


def test_package_that_does_not_fit_ends_the_build_with_its_reason(tmp_path: Path) -> None:
    package = tmp_path / "acme_wrong"
    package.mkdir()
    (package / "__init__.py").write_text("NAMESPACES = {}\n")
    with pytest.raises(UsageFault, match=r"acme_wrong: .*SERVICES"):
        write_description(tmp_path / "root", SettingsPackages(("acme_wrong",), tmp_path))


@pytest.mark.parametrize("name", ["pinwheel", "json", "a-b", "../a", "A", ""])
def test_names_that_are_no_package_or_anothers_are_refused(name: str) -> None:
    with pytest.raises(UsageFault, match="settings-packages"):
        settings_packages("docker", [name])


def test_sources_and_wheels_are_those_of_the_variant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DEFINITION", tmp_path)
    directory = tmp_path / "mkosi.profiles/edge"
    (directory / "python").mkdir(parents=True)
    (directory / "requirements.txt").write_text("")
    assert settings_packages("edge", ["acme_agent"]) == SettingsPackages(
        ("acme_agent",), directory / "python", directory / "requirements.txt"
    )
    assert settings_packages("other", []) == SettingsPackages()
