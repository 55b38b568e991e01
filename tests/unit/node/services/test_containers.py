# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What settings make of host containers, bootstrap containers, commands and registries."""

import base64
import json

from pinwheel.node.containers.access import Access, Login
from pinwheel.node.containers.container import Container, Kind
from pinwheel.node.containers.places import BOOTSTRAP_COMMANDS, REGISTRIES
from pinwheel.node.services import bootstrap, host_containers, registries
from pinwheel.settings.containers import BootstrapCommands, BootstrapContainer, HostContainer
from pinwheel.settings.engine import Docker
from pinwheel.settings.registry import ContainerRegistry, Credentials, Mirror
from pinwheel.settings.secret import Secret
from pinwheel.settings.system import Network
from pinwheel.settings.tree import Settings

PROXIES = Network(https_proxy=Secret("http://p:1"), no_proxy=["a", "b"])


def containers(files):
    return [Container.from_json(file.content) for path, file in files.items() if path != BOOTSTRAP_COMMANDS]


def test_only_what_is_enabled_and_has_a_source_is_to_run():
    settings = Settings(
        host_containers={
            "admin": HostContainer(source="a:1", enabled=True, superpowered=True, user_data=Secret("eA==")),
            "off": HostContainer(source="b:1"),
            "half": HostContainer(enabled=True),
        }
    )
    files = host_containers.render(settings)
    assert containers(files) == [Container(Kind.HOST, "admin", "a:1", superpowered=True, user_data="eA==")]
    assert list(files) == ["/run/pinwheel/host-containers/admin.json"]
    assert {file.mode for file in files.values()} == {0o600}


def test_proxies_are_in_the_environment_in_both_spellings():
    settings = Settings(network=PROXIES, host_containers={"x": HostContainer(source="a:1", enabled=True)})
    (container,) = containers(host_containers.render(settings))
    assert container.environment == {
        "HTTPS_PROXY": "http://p:1", "https_proxy": "http://p:1", "NO_PROXY": "a,b", "no_proxy": "a,b",
    }  # fmt: skip


def test_bootstrap_containers_run_unless_they_are_off():
    settings = Settings(
        bootstrap_containers={
            "first": BootstrapContainer(source="a:1", mode="once", essential=True),
            "each": BootstrapContainer(source="b:1", mode="always"),
            "off": BootstrapContainer(source="c:1"),
            "half": BootstrapContainer(mode="always"),
        }
    )
    assert containers(bootstrap.render(settings)) == [
        Container(Kind.BOOTSTRAP, "first", "a:1", essential=True, once=True),
        Container(Kind.BOOTSTRAP, "each", "b:1"),
    ]


def test_commands_are_in_the_order_of_their_names():
    settings = Settings(
        bootstrap_commands={
            "b": BootstrapCommands(commands=[["apiclient", "get"]], mode="always", essential=True),
            "a": BootstrapCommands(commands=[["apiclient", "set", "motd=x"]], mode="once"),
            "off": BootstrapCommands(commands=[["apiclient", "get"]]),
            "empty": BootstrapCommands(mode="always"),
        }
    )
    document = json.loads(bootstrap.render(settings)[BOOTSTRAP_COMMANDS].content)
    assert list(document) == ["a", "b"]
    assert document["a"] == {"commands": [["apiclient", "set", "motd=x"]], "essential": False, "once": True}


def test_nothing_to_do_is_no_file():
    assert not host_containers.render(Settings())
    assert not bootstrap.render(Settings())
    assert not registries.render(Settings())


def test_registries_are_reached_as_the_settings_say():
    settings = Settings(
        network=PROXIES,
        docker=Docker(insecure_registries=["10.0.2.2:5000"]),
        container_registry=ContainerRegistry(
            mirrors=[Mirror(registry="docker.io", endpoint=["https://m"])],
            credentials=[
                Credentials(registry="a", username="u", password=Secret("p")),
                Credentials(registry="b", auth=Secret(base64.b64encode(b"me:pa:ss").decode())),
                Credentials(registry="c", identitytoken=Secret("t")),
            ],
        ),
    )
    file = registries.render(settings)[REGISTRIES]
    access = Access.from_json(file.content)
    assert file.mode == 0o600
    assert access.mirrors == {"docker.io": ["https://m"]}
    assert [access.login(name) for name in "abc"] == [Login("u", "p"), Login("me", "pa:ss"), Login("", "", "t")]
    assert (access.https_proxy, access.no_proxy, access.insecure) == ("http://p:1", ["a", "b"], ["10.0.2.2:5000"])
