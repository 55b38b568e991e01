# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A variant's own package of settings: a real one, imported as the node imports it."""

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
from tests.support.node_root import put

from pinwheel.node.paths import EXTENSIONS
from pinwheel.node.services.extensions import ExtensionError, configurable, with_extensions
from pinwheel.node.services.metadata import affected
from pinwheel.node.services.service import Service, rendered
from pinwheel.node.services.table import SERVICES
from pinwheel.settings.model import walk
from pinwheel.settings.reading import read
from pinwheel.settings.tree import Settings

SOURCES = Path(__file__).parents[2] / "support/extension"


@pytest.fixture
def extended_node(root, monkeypatch):
    monkeypatch.syspath_prepend(str(SOURCES))
    put(root, EXTENSIONS, json.dumps({"packages": ["acme_agent"]}))
    return configurable(root)


def offer(monkeypatch, name: str, **contents: object) -> str:
    module = ModuleType(name)
    module.__dict__.update(contents)
    monkeypatch.setitem(sys.modules, name, module)
    return name


def test_image_without_extensions_has_this_systems_settings(root):
    assert configurable(root) == (Settings, SERVICES)


def test_namespace_is_in_the_tree_beside_the_others(extended_node):
    paths = [".".join(entry.path) for entry in walk(extended_node.model)]
    assert {"acme-agent.server", "acme-agent.port", "acme-agent.token", "docker.log-driver"} <= set(paths)


def test_settings_are_read_with_their_own_rules(extended_node):
    document = {"motd": "x", "acme-agent": {"server": "a b", "port": 70000, "tokken": "x"}}
    settings, mistakes = read(extended_node.model, document)
    assert settings.motd == "x"
    assert sorted(".".join(map(str, mistake.path)) for mistake in mistakes) == [
        "acme-agent.port",
        "acme-agent.server",
        "acme-agent.tokken",
    ]


def test_settings_are_rendered_and_secrets_keep_their_mode(extended_node):
    settings, mistakes = read(
        extended_node.model,
        {"acme-agent": {"server": "acme.example.com", "token": "t"}, "network": {"no-proxy": ["10.0.0.0/8"]}},
    )
    assert not mistakes
    service = extended_node.services[-1]
    (file,) = rendered(service, settings).values()
    assert json.loads(file.content) == {"server": "acme.example.com:443", "token": "t", "direct": ["10.0.0.0/8"]}
    assert file.mode == 0o600
    assert rendered(service, extended_node.model()) == {}


def test_others_know_that_they_are_read(extended_node):
    read_by = affected(extended_node.services)
    assert read_by["settings.acme-agent"] == ["acme-agent"]
    assert {"docker", "acme-agent"} <= set(read_by["settings.network.no-proxy"])


def test_package_that_is_missing_or_incomplete_is_named(monkeypatch):
    with pytest.raises(ExtensionError, match="acme_nothing: No module"):
        with_extensions(["acme_nothing"])
    with pytest.raises(ExtensionError, match=r"acme_half: .*NAMESPACES"):
        with_extensions([offer(monkeypatch, "acme_half", SERVICES=())])


def test_namespace_that_is_taken_is_refused(monkeypatch):
    name = offer(monkeypatch, "acme_taken", NAMESPACES={"docker": type(Settings().docker)}, SERVICES=())
    with pytest.raises(ExtensionError, match="docker"):
        with_extensions([name])


@pytest.mark.parametrize(
    ("service", "words"),
    [
        (Service("docker", ()), "a service docker already"),
        (Service("x", ("nothing.here",)), "reads nothing.here"),
        (Service("x", (), ("/etc/x",)), "not below /run"),
        (Service("x", (), ("/run/pinwheel/motd",)), "another service's"),
        (Service("x", (), ("/run/pinwheel/",)), "another service's"),
    ],
)
def test_service_that_would_get_in_the_way_is_refused(monkeypatch, service, words):
    with pytest.raises(ExtensionError, match=words):
        with_extensions([offer(monkeypatch, "acme_wrong", NAMESPACES={}, SERVICES=(service,))])
