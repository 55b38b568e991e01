# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The table of consumers as the API shows it."""

from pinwheel.node import paths as places
from pinwheel.node.services.metadata import affected, configuration_files, file_name, services
from pinwheel.node.services.service import Service, UnitAction
from pinwheel.node.services.table import SERVICES

TWO = (
    Service("a", ("network",), ("/run/a/",), restart=(UnitAction("a.service", "try-restart"),)),
    Service("b", ("network.no-proxy", "ntp"), ("/run/pinwheel/b.key",), secret=("/run/pinwheel/b.key",)),
)


def test_services_have_their_files_and_commands():
    assert services(TWO) == {
        "a": {"configuration-files": ["a"], "restart-commands": [["systemctl", "try-restart", "a.service"]]},
        "b": {"configuration-files": ["b-key"], "restart-commands": []},
    }


def test_files_have_their_paths_and_secret_ones_their_mode():
    assert configuration_files(TWO) == {
        "a": {"path": "/run/a/", "mode": "0644"},
        "b-key": {"path": "/run/pinwheel/b.key", "mode": "0600"},
    }


def test_key_affects_who_reads_it_and_who_reads_what_is_around_it():
    assert affected(TWO) == {
        "settings.network": ["a"],
        "settings.network.no-proxy": ["a", "b"],
        "settings.ntp": ["b"],
    }


def test_names_of_files_are_each_their_own():
    paths = [path for service in SERVICES for path in service.owned]
    assert len({file_name(path) for path in paths}) == len(paths)
    assert file_name(places.DAEMON_JSON) == "docker-daemon-json"
