# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What this node is made of: where things are, which settings it knows, and who reads them."""

from collections.abc import Callable
from typing import NamedTuple

from pinwheel.node.generations.store import Store
from pinwheel.node.paths import GENERATIONS, Paths
from pinwheel.node.services.extensions import configurable
from pinwheel.node.services.service import Service
from pinwheel.node.units import Health, Systemd, Units
from pinwheel.settings.tree import Settings


class System(NamedTuple):
    """The parts that boot and the actuator work with."""

    paths: Paths
    model: type[Settings]
    """All settings of this image, those of its variant's packages among them."""
    services: tuple[Service, ...]
    units: Callable[[Paths], Units] = Systemd
    health: Health = Health()
    """How long units are watched after a change."""

    @property
    def store(self) -> Store:
        """The generations on the data partition."""
        return Store(self.paths.at(GENERATIONS))


def this_system(paths: Paths) -> System:
    """Give the system of this node; raises ExtensionError when its image was built wrong."""
    model, services = configurable(paths)
    return System(paths, model, services)
