# SPDX-License-Identifier: Apache-2.0 OR MIT
import pytest

from pinwheel.settings.accepted import accepted
from pinwheel.settings.reading import read
from pinwheel.settings.tree import Settings

CASES = [
    ({"motd": "good"}, {"motd": "good"}),
    ({"motd": 5, "ntp": {"time-servers": ["a"]}}, {"ntp": {"time-servers": ["a"]}}),
    ({"ntp": {"time-servers": ["a", "b c"]}}, {"ntp": {}}),
    ({"kernel": {"sysctl": {"vm.x": "1", "../y": "2"}}}, {"kernel": {"sysctl": {"vm.x": "1"}}}),
    ({"unknown": {"deep": [1]}, "motd": "x"}, {"motd": "x"}),
    ({"docker": {"log-driver": "local", "remote": {"enabled": True}}}, {"docker": {"log-driver": "local"}}),
    (
        {"docker": {"default-address-pools": [{"base": "172.30.0.0/16", "size": 24, "more": 1}]}},
        {"docker": {"default-address-pools": [{"base": "172.30.0.0/16", "size": 24}]}},
    ),
]


@pytest.mark.parametrize(("document", "kept"), CASES)
def test_what_is_good_is_kept_and_has_no_mistakes(document: dict[str, object], kept: dict[str, object]) -> None:
    settings, left, mistakes = accepted(Settings, document)
    assert left == kept
    assert bool(mistakes) == (document != kept)
    assert read(Settings, left) == (settings, [])
