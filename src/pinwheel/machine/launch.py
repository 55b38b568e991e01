# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What `pinwheel run` does: from a request to a machine that runs, whether it is new, stopped or running already.

Whatever ends it early, Ctrl-C included, leaves things as they were: a machine that it started is stopped, one that it
made is removed.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pinwheel.errors import UsageFault
from pinwheel.image.toolbox import Toolbox
from pinwheel.machine.machine import Machine
from pinwheel.machine.node_status import NodeStatus
from pinwheel.machine.record import (
    DEFAULT_CPUS,
    DEFAULT_DISK_SIZE,
    DEFAULT_MEMORY,
    DEFAULT_NAME,
    DEFAULT_VARIANT,
    MIB,
    SMALLEST_MEMORY,
    PortForward,
)
from pinwheel.machine.store import MachineStore
from pinwheel.machine.user_data import check_syntax, remarks
from pinwheel.machine.waiting import READY_TIMEOUT
from pinwheel.progress import Progress
from pinwheel.settings.user_data import parse_user_data

UNDO_TIMEOUT = 15.0
"""Seconds that a node which was there before gets to stop, when the start is given up."""


@dataclass(frozen=True)
class RunRequest:
    """What the user asked for. None: not said, so the default for a new machine, and as it was for an old one."""

    name: str = DEFAULT_NAME
    variant: str | None = None
    image: Path | None = None
    user_data: Path | None = None
    memory: int | None = None
    cpus: int | None = None
    publish: tuple[PortForward, ...] | None = None
    disk_size: int | None = None
    data_disk_size: int | None = None
    tpm: bool | None = None
    wait: bool = True
    """Whether to wait until the node is ready."""
    ready_timeout: float = READY_TIMEOUT


@dataclass(frozen=True)
class Launched:
    """What came of a request."""

    machine: Machine
    started: bool
    """False: it was running already."""
    status: NodeStatus | None
    """What the node said; None when nobody waited for it."""


def launch(request: RunRequest, progress: Progress, store: MachineStore | None = None) -> Launched:
    """Make, start and await what was asked for.

    Raises:
        UsageFault: the request does not fit the machine that there is, or its values do not fit at all.
        EnvironmentFault: a tool, the disk or the network failed.
        CheckFailed: the node did not become ready.
    """
    store = store or MachineStore()
    _check_values(request)
    user_data = _read_user_data(request.user_data, progress)
    with store.lock(request.name):
        if not store.exists(request.name):
            return _start_new(request, user_data or "", store, progress)
        machine = Machine(request.name, store)
        _check_unchangeable(request, machine)
        if machine.is_running():
            return _join_running(request, machine, progress)
        return _start_old(request, user_data, machine, progress)


def _start_new(request: RunRequest, user_data: str, store: MachineStore, progress: Progress) -> Launched:
    from pinwheel.image.disk import MIB, MINIMUM_DISK_BYTES
    from pinwheel.image.keys import secure_boot_keys

    if request.disk_size is not None and request.disk_size < MINIMUM_DISK_BYTES:
        raise UsageFault(
            f"a disk of {request.disk_size // MIB} MiB is too small for the system and its data",
            f"give --disk-size {MINIMUM_DISK_BYTES // MIB}M or more",
        )
    image = request.image or _built_image(request.variant or DEFAULT_VARIANT, progress)
    toolbox = ready_toolbox(progress)
    machine = Machine.create(
        request.name,
        image=image.resolve(),
        toolbox=toolbox,
        keys=secure_boot_keys(),
        variant=request.variant or DEFAULT_VARIANT,
        memory=request.memory or DEFAULT_MEMORY,
        cpus=request.cpus or DEFAULT_CPUS,
        publish=request.publish or (),
        disk_size=request.disk_size or DEFAULT_DISK_SIZE,
        data_disk_size=request.data_disk_size,
        tpm=request.tpm is not False,
        user_data=user_data,
        store=store,
        progress=progress,
    )
    with _undone_by(machine.remove):
        return _power_on(request, machine, toolbox, progress)


def _start_old(request: RunRequest, user_data: str | None, machine: Machine, progress: Progress) -> Launched:
    machine.change(memory=request.memory, cpus=request.cpus, publish=request.publish, user_data=user_data)
    with _undone_by(lambda: machine.stop(UNDO_TIMEOUT)):
        return _power_on(request, machine, ready_toolbox(progress), progress)


def _join_running(request: RunRequest, machine: Machine, progress: Progress) -> Launched:
    record = machine.record
    for option, wanted, present in (
        ("--memory", request.memory, record.memory),
        ("--cpus", request.cpus, record.cpus),
        ("--publish", request.publish, record.publish),
        ("--user-data", request.user_data, None),
    ):
        if wanted is not None and wanted != present:
            message = f"{option} cannot change while the machine {machine.name} is running"
            raise UsageFault(message, f"stop it first: pinwheel stop {machine.name}")
    return Launched(
        machine, started=False, status=_await_ready(request, machine, progress) if request.wait else machine.status()
    )


def _power_on(request: RunRequest, machine: Machine, toolbox: Toolbox, progress: Progress) -> Launched:
    with progress.step(f"Starting the machine {machine.name}"):
        machine.start(toolbox)
    return Launched(machine, started=True, status=_await_ready(request, machine, progress) if request.wait else None)


def _await_ready(request: RunRequest, machine: Machine, progress: Progress) -> NodeStatus:
    with progress.step("Waiting until the node is ready") as step:
        return machine.wait_ready(request.ready_timeout, step)


@contextmanager
def _undone_by(undo: Callable[[], object]) -> Iterator[None]:
    try:
        yield
    except BaseException:
        undo()
        raise


def _check_values(request: RunRequest) -> None:
    if request.memory is not None and request.memory < SMALLEST_MEMORY:
        least = SMALLEST_MEMORY // MIB
        raise UsageFault(
            f"{request.memory // MIB} MiB of memory is too little to boot", f"give --memory {least}M or more"
        )
    if request.cpus is not None and request.cpus < 1:
        raise UsageFault("a machine needs a processor", "give --cpus 1 or more")
    if request.image is not None and not request.image.is_file():
        raise UsageFault(
            f"there is no image {request.image}", "leave --image out, and the image is built where it is needed"
        )


def _check_unchangeable(request: RunRequest, machine: Machine) -> None:
    record = machine.record
    for option, wanted, present in (
        ("--variant", request.variant, record.variant),
        ("--image", request.image and str(request.image.resolve()), record.image),
        ("--disk-size", request.disk_size, record.disk_size),
        ("--data-disk", request.data_disk_size, record.data_disk_size),
        ("--no-tpm", request.tpm, record.tpm),
    ):
        if wanted is not None and wanted != present:
            raise UsageFault(
                f"{option} cannot change: the machine {record.name} is there already, with a disk of its own",
                f"remove it first (pinwheel rm {record.name}), or give the new one another --name",
            )


def _read_user_data(path: Path | None, progress: Progress) -> str | None:
    if path is None:
        return None
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageFault(f"cannot read the user data: {error}", "give the path of a TOML file in UTF-8") from None
    document = check_syntax(text, str(path))
    for problem in parse_user_data(text)[1]:
        progress.warn(str(problem))
    for remark in remarks(document):
        progress.warn(remark)
    return text


def _built_image(variant: str, progress: Progress) -> Path:
    # Building is the heavy half of the project, and most runs do not need it.
    from pinwheel.image.build import ensure_image

    return ensure_image(variant, progress).disk


def ready_toolbox(progress: Progress) -> Toolbox:
    """Give the toolbox; make it when it is not there yet."""
    from pinwheel.image.inputs import BuildContext, get_toolbox

    return get_toolbox(BuildContext(progress))
