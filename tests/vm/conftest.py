# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The real image in virtual machines. Half a minute a boot: tests that do not hurt each other share a machine.

`node` is a machine that is ready, for all tests that leave it as it was; `lab` makes further ones.
"""

import signal
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest
from tests.support.lab import Docker, Lab
from tests.support.registry import Registry, free_port

from pinwheel.image.build import BuiltImage
from pinwheel.image.keys import secure_boot_keys
from pinwheel.image.toolbox import Toolbox
from pinwheel.machine.machine import Machine
from pinwheel.machine.record import PortForward
from pinwheel.paths import cache_directory

HTTP_PORT = 8080
"""The node's port that leads from the workstation into containers of tests."""
CONSOLE_LINES = 60
_LAB = pytest.StashKey[Lab]()


@pytest.fixture(scope="session")
def lab(image: BuiltImage, toolbox: Toolbox, pytestconfig: pytest.Config) -> Iterator[Lab]:
    """The machines of this run; all are gone when it ends."""
    signal.signal(signal.SIGTERM, _interrupt)
    with Lab(cache_directory() / "vm-tests", image, toolbox, secure_boot_keys()) as lab:
        pytestconfig.stash[_LAB] = lab
        yield lab


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    # As Ctrl-C: fixtures end what they started. What SIGKILL leaves, the next run clears away.
    raise KeyboardInterrupt


@pytest.fixture
def make_machine(lab: Lab) -> Iterator[Callable[..., Machine]]:
    """Make machines that end with the test."""
    made: list[Machine] = []

    def make(name: str, **options: Any) -> Machine:
        made.append(lab.create(name, **options))
        return made[-1]

    yield make
    for machine in made:
        lab.discard(machine)


@pytest.fixture(scope="session")
def registry(toolbox: Toolbox) -> Iterator[Registry]:
    """A registry on the workstation."""
    with Registry(toolbox) as registry:
        yield registry


@pytest.fixture(scope="session")
def busybox(registry: Registry) -> str:
    """The reference by which a node pulls busybox."""
    return registry.push_busybox()


@pytest.fixture(scope="session")
def insecure(registry: Registry) -> str:
    """User data that lets the engine pull from the registry."""
    return f'[settings.docker]\ninsecure-registries = ["{registry.endpoint}"]\n'


@pytest.fixture(scope="session")
def node(lab: Lab, insecure: str) -> Machine:
    """A machine that is ready; tests leave it as they found it."""
    user_data = f"""
[settings]
motd = "Welcome to the test."
[settings.network]
hostname = "node-1.example.com"
[settings.kernel.sysctl]
"vm.max_map_count" = "262144"
{insecure}"""
    publish = [PortForward(host=free_port(), guest=HTTP_PORT)]
    return lab.boot(lab.create("node", user_data=user_data, publish=publish, tpm=True))


@pytest.fixture(scope="session")
def docker(node: Machine, toolbox: Toolbox) -> Docker:
    """The Docker client of the shared machine."""
    return Docker(node, toolbox)


@pytest.fixture
def container(docker: Docker, busybox: str) -> Iterator[Callable[..., str]]:
    """Run containers of busybox in the background, that end with the test; gives the id."""
    made: list[str] = []

    def run(*options: str, command: tuple[str, ...] = ("sleep", "600"), image: str = busybox) -> str:
        made.append(docker("run", "--detach", *options, image, *command))
        return made[-1]

    yield run
    if made:
        docker("rm", "--force", "--volumes", *made)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Show the consoles' last lines with a test that failed."""
    report = yield
    lab = item.config.stash.get(_LAB, None)
    if report.failed and lab is not None:
        for machine in lab.machines:
            report.sections.append((f"console of the machine {machine.name}", machine.console_tail(CONSOLE_LINES)))
            if said := machine.qemu_output():
                report.sections.append((f"QEMU of the machine {machine.name}", said))
    return report
