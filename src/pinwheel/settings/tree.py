# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The whole tree of settings of the `docker` variant. `pinwheel.settings.model.extended` adds a variant's own."""

from typing import Annotated

from msgspec import field

from pinwheel.settings.access import Api, Logging
from pinwheel.settings.aws import Aws
from pinwheel.settings.boot import Boot
from pinwheel.settings.containers import BootstrapCommands, BootstrapContainer, HostContainer
from pinwheel.settings.engine import Docker
from pinwheel.settings.model import Namespace, setting
from pinwheel.settings.oci import OciDefaults
from pinwheel.settings.pki import Bundle
from pinwheel.settings.registry import ContainerRegistry
from pinwheel.settings.system import Dns, Kernel, Memory, Network, Ntp
from pinwheel.settings.types import Identifier, Motd
from pinwheel.settings.upkeep import HealthCheck, LivePatch, Metrics, Updates

_NAMES = "letters, digits and `-`, at most 76 characters"


class Settings(Namespace, frozen=True):
    """Everything that a node can be told. Without arguments: a node without user data."""

    motd: Annotated[
        Motd,
        setting(
            "The message on the node's status screen.",
            example="This node belongs to the web team.",
            allowed="plain text of at most 4096 characters",
        ),
    ] = "Welcome to Pinwheel!"
    network: Annotated[Network, setting("Name, proxies and interfaces.", example={})] = Network()
    dns: Annotated[Dns, setting("Looking up names.", example={})] = Dns()
    ntp: Annotated[Ntp, setting("The clock.", example={})] = Ntp()
    pki: Annotated[
        dict[Identifier, Bundle],
        setting(
            "Certificates of authorities, by a name of your choice.",
            example={"company": {"trusted": False}},
            allowed=_NAMES,
        ),
    ] = field(default_factory=dict)
    kernel: Annotated[Kernel, setting("The kernel.", example={})] = Kernel()
    boot: Annotated[Boot, setting("Parameters of kernel and init.", example={})] = Boot()
    memory: Annotated[Memory, setting("Memory.", example={})] = Memory()
    container_registry: Annotated[ContainerRegistry, setting("Registries.", example={})] = ContainerRegistry()
    docker: Annotated[Docker, setting("The container engine.", example={})] = Docker()
    oci_defaults: Annotated[OciDefaults, setting("Defaults of containers.", example={})] = OciDefaults()
    host_containers: Annotated[
        dict[Identifier, HostContainer],
        setting(
            "Containers beside the workload's engine, for those who look after the node, by a name of your choice.",
            example={"admin": {"enabled": False}},
            allowed=_NAMES,
        ),
    ] = field(default_factory=dict)
    bootstrap_containers: Annotated[
        dict[Identifier, BootstrapContainer],
        setting(
            "Containers that run at boot before the workload's engine starts, by a name of your choice.",
            example={"raid": {"mode": "off"}},
            allowed=_NAMES,
            reboot=True,
        ),
    ] = field(default_factory=dict)
    bootstrap_commands: Annotated[
        dict[Identifier, BootstrapCommands],
        setting(
            "Calls of `apiclient` that run at boot before the workload's engine starts, by a name of your choice; in "
            "the order of the names.",
            example={"hello": {"commands": [["apiclient", "set", "motd=hello"]], "mode": "always"}},
            allowed=_NAMES,
            reboot=True,
        ),
    ] = field(default_factory=dict)
    updates: Annotated[Updates, setting("Updates.", example={}, later=True)] = Updates()
    live_patch: Annotated[LivePatch, setting("Patches of the running kernel.", example={}, later=True)] = LivePatch()
    health_checks: Annotated[
        dict[Identifier, HealthCheck],
        setting(
            "Questions whose answers say whether the node is well, by a name of your choice.",
            example={"web": {"http": "http://127.0.0.1:8080/healthz"}},
            allowed=_NAMES,
            later=True,
        ),
    ] = field(default_factory=dict)
    api: Annotated[Api, setting("The node's API.", example={})] = Api()
    logging: Annotated[Logging, setting("The log.", example={})] = Logging()
    metrics: Annotated[Metrics, setting("Metrics.", example={})] = Metrics()
    aws: Annotated[Aws, setting("Amazon's cloud.", example={})] = Aws()
