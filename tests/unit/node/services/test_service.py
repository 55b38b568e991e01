# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The rules by which every consumer is treated alike."""

import pytest

from pinwheel.node.files import RenderedFile
from pinwheel.node.services.service import (
    Lazy,
    Service,
    fallen_back,
    has_work,
    reads_change,
    rendered,
    value_at,
    with_defaults,
)
from pinwheel.settings.engine import Docker
from pinwheel.settings.system import Network, Ntp
from pinwheel.settings.tree import Settings

CLOCK = Service(
    "clock", ("ntp", "network.no-proxy"), ("/run/clock",), lambda settings: {"/run/clock": RenderedFile(b"")}
)
TIMED = Settings(ntp=Ntp(time_servers=["a"]))


def test_values_are_found_by_the_names_that_users_write():
    assert value_at(Settings(network=Network(no_proxy=["x"])), "network.no-proxy") == ["x"]
    with pytest.raises(AttributeError):
        value_at(Settings(), "network.nothing")


def test_change_matters_to_who_reads_it():
    assert reads_change(CLOCK, Settings(), TIMED)
    assert reads_change(CLOCK, Settings(), Settings(network=Network(no_proxy=["x"])))
    assert not reads_change(CLOCK, Settings(), Settings(motd="x", network=Network(hostname="x")))


def test_consumer_without_settings_is_not_even_imported():
    nowhere = CLOCK._replace(render=Lazy("pinwheel.nowhere", "render"))
    assert rendered(nowhere, Settings()) == {}
    assert not has_work(nowhere, Settings())
    with pytest.raises(ImportError):
        rendered(nowhere, TIMED)


def test_consumer_that_has_files_by_default_always_has_them():
    assert set(rendered(CLOCK._replace(by_default=True), Settings())) == {"/run/clock"}


def test_what_falls_is_what_the_consumer_reads_and_nothing_else():
    settings = Settings(motd="x", ntp=Ntp(time_servers=["a"]), network=Network(hostname="h", no_proxy=["x"]))
    assert fallen_back(CLOCK, settings) == Settings(motd="x", network=Network(hostname="h"))
    assert with_defaults(Settings(motd="x", docker=Docker(log_driver="none")), ["docker.log-driver"]) == Settings(
        motd="x"
    )


def test_consumer_may_fall_its_own_way():
    assert fallen_back(CLOCK._replace(fallback=lambda settings: TIMED), Settings(motd="x")) == TIMED
