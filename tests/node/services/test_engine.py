# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The engine's own check, with a program in the engine's place that notes what it was asked."""

import base64
import json

from tests.support.node_root import program

from pinwheel.node import paths as places
from pinwheel.node.services.engine import check, render
from pinwheel.settings.engine import Docker, Remote
from pinwheel.settings.secret import Secret
from pinwheel.settings.tree import Settings


def pem(label: str) -> str:
    return base64.b64encode(f"-----BEGIN {label}-----\nMA==\n-----END {label}-----\n".encode()).decode()


REMOTE = Remote(
    enabled=True,
    client_ca=pem("CERTIFICATE"),
    server_certificate=pem("CERTIFICATE"),
    server_key=Secret(pem("PRIVATE KEY")),
)
SETTINGS = Settings(docker=Docker(log_driver="local", remote=REMOTE))


def test_engine_is_shown_candidates_and_what_is_in_place_stays(root):
    program(root, places.ENGINE, f'cp "$3" {root.root}/asked; ls -l "$(dirname "$3")/tls/key.pem" > {root.root}/key')
    assert check(root, SETTINGS, render(SETTINGS)) == []
    asked = json.loads(root.text("/asked"))
    assert asked["tlskey"] == str(root.at(places.CANDIDATES + places.TLS_KEY))
    assert asked["log-driver"] == "local"
    assert root.text("/key").startswith("-rw-------")
    assert not root.at(places.DAEMON_JSON).exists()
    assert not [place for place in root.at(places.CANDIDATES).rglob("*") if place.is_file()]


def test_refusal_is_told_in_the_engines_words(root):
    program(root, places.ENGINE, 'echo "unable to configure: $3: no such driver" >&2; exit 1')
    (problem,) = check(root, SETTINGS, render(SETTINGS))
    assert (problem.code, problem.path, problem.line) == ("engine-refused", "settings.docker", 0)
    assert problem.message == "the engine refuses it: unable to configure: daemon.json: no such driver"


def test_engine_that_is_not_there_is_a_refusal(root):
    (problem,) = check(root, SETTINGS, render(SETTINGS))
    assert problem.code == "engine-refused"


def test_engine_is_not_started_for_settings_that_are_not_its_own(root):
    assert check(root, Settings(motd="x"), render(Settings())) == []
