# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A virtual machine that runs an image: made, started, watched, stopped, removed.

The command line and the VM tests use it alike. It keeps no state of its own but for the child that it started: another
process sees the same machine through the same directory.
"""

import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pinwheel.errors import EnvironmentFault
from pinwheel.image.toolbox import Toolbox
from pinwheel.machine import qemu
from pinwheel.machine.acceleration import has_kvm
from pinwheel.machine.certificates import (
    ApiCertificates,
    DockerCertificates,
    make_api_certificates,
    make_certificates,
)
from pinwheel.machine.disk import make_data_disk, make_disk
from pinwheel.machine.docker_client import docker_environment
from pinwheel.machine.firmware import FirmwareKeys, make_variables
from pinwheel.machine.follow import plain_text, tail
from pinwheel.machine.monitor import answers, execute
from pinwheel.machine.node_status import NodeStatus, latest_status, ready_from_console
from pinwheel.machine.ports import check_free, choose_port
from pinwheel.machine.process import MachineProcess, find_process
from pinwheel.machine.record import (
    DEFAULT_CPUS,
    DEFAULT_DISK_SIZE,
    DEFAULT_MEMORY,
    DEFAULT_VARIANT,
    MachineRecord,
    PortForward,
)
from pinwheel.machine.store import MachineStore, write_record
from pinwheel.machine.tpm import SOCKET as TPM_SOCKET
from pinwheel.machine.tpm import make_tpm
from pinwheel.machine.user_data import compose, smbios_string
from pinwheel.machine.waiting import READY_TIMEOUT, wait_until_ready
from pinwheel.progress import Progress, SilentProgress, Step

CERTIFICATES = "docker"
API_CERTIFICATES = "api"
USER_DATA = "user-data.toml"
QEMU_LOG = "qemu.log"

START_TIMEOUT = 20.0
"""Seconds from the start of QEMU until its monitor answers; it takes about 0.3."""
STOP_TIMEOUT = 60.0
"""Seconds that the node gets to stop its containers and to unmount its disk."""


class Machine:
    """One machine, by its name."""

    def __init__(self, name: str, store: MachineStore | None = None) -> None:
        """Take the machine of this name; see `create` for a new one.

        Raises:
            UsageFault: there is none.
        """
        self.store = store or MachineStore()
        self.record = self.store.read(name)
        self._child: subprocess.Popen[bytes] | None = None

    @classmethod
    def create(
        cls,
        name: str,
        *,
        image: Path,
        toolbox: Toolbox,
        keys: FirmwareKeys,
        variant: str = DEFAULT_VARIANT,
        memory: int = DEFAULT_MEMORY,
        cpus: int = DEFAULT_CPUS,
        publish: Iterable[PortForward] = (),
        disk_size: int = DEFAULT_DISK_SIZE,
        data_disk_size: int | None = None,
        user_data: str | None = "",
        tpm: bool = True,
        store: MachineStore | None = None,
        progress: Progress | None = None,
    ) -> "Machine":
        """Make a new machine, stopped. Sizes are bytes. The caller holds the lock where others may be about.

        The Docker API is part of the user data that the machine's firmware hands to the node; with None it hands over
        nothing, and the node is on its own as on any other host.

        Raises:
            UsageFault: the image is none, the disk too small for it, or the name not fit.
            EnvironmentFault: the disk is full, or a tool failed.
        """
        store = store or MachineStore()
        record = MachineRecord(
            name=name,
            variant=variant,
            image=str(image),
            memory=memory,
            cpus=cpus,
            publish=tuple(publish),
            disk_size=disk_size,
            data_disk_size=data_disk_size,
            hands_user_data=user_data is not None,
            tpm=tpm,
            docker_port=choose_port(None),
        )
        with (
            (progress or SilentProgress()).step(f"Making the machine {name}") as step,
            store.creating(name) as directory,
        ):
            _fill(directory, record, image, user_data or "", toolbox, keys, step)
        return cls(name, store)

    @property
    def name(self) -> str:
        """The machine's name."""
        return self.record.name

    @property
    def directory(self) -> Path:
        """Where all of the machine's files are."""
        return self.store.directory(self.name)

    @property
    def disk(self) -> Path:
        """The raw disk that it boots from; to be changed only while it is stopped."""
        return self.directory / qemu.DISK

    def process(self) -> MachineProcess | None:
        """Give the QEMU that runs it now, or None when it is stopped."""
        return find_process(self.record.uuid)

    def is_running(self) -> bool:
        """Tell whether it runs now."""
        return self.process() is not None

    def change(
        self,
        *,
        memory: int | None = None,
        cpus: int | None = None,
        publish: Iterable[PortForward] | None = None,
        user_data: str | None = None,
    ) -> None:
        """Change what may change between two starts. None leaves a value as it is."""
        changes: dict[str, Any] = {
            "memory": memory,
            "cpus": cpus,
            "publish": None if publish is None else tuple(publish),
        }
        self._update({key: value for key, value in changes.items() if value is not None})
        if user_data is not None:
            self._update({"hands_user_data": True})
            _write_private(self.directory / USER_DATA, user_data)

    def start(self, toolbox: Toolbox) -> None:
        """Power on, and return as soon as QEMU runs. Nothing happens when it runs already.

        Raises:
            UsageFault: a port to publish is in use.
            EnvironmentFault: QEMU does not start; the message has what it said.
        """
        if self.is_running():
            return
        check_free(self.record.publish)
        published = {forward.host for forward in self.record.publish}
        docker = choose_port(self.record.docker_port, published)
        api = choose_port(self.record.api_port, published | {docker})
        self._update({"docker_port": docker, "api_port": api})
        self._prepare()
        argv = ["env", f"--chdir={self.directory}", *qemu.qemu_command(self.record, kvm=has_kvm())]
        command = toolbox.command(argv, writable=[self.directory], network=True, alone=True)
        with (self.directory / QEMU_LOG).open("wb") as log:
            # A session of its own: neither Ctrl-C nor the end of this terminal reaches it.
            self._child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._await_monitor(self._child)

    def wait_ready(self, timeout: float = READY_TIMEOUT, step: Step | None = None) -> NodeStatus:
        """Wait until the node says that it is ready, and give what it said.

        Raises:
            CheckFailed: it did not within `timeout` seconds; the message has its reasons and the console's end.
            EnvironmentFault: QEMU ended meanwhile.
        """
        status = wait_until_ready(self, timeout, step)
        self._update({"version": status.version or self.record.version})
        return status

    def stop(self, timeout: float = STOP_TIMEOUT) -> bool:
        """Press the power button and wait; pull the plug after `timeout` seconds. Tell whether the node went by itself.

        Data written shortly before a plug was pulled may be lost. A machine that is stopped stays so.
        """
        process = self.process()
        if process is None:
            return True
        try:
            execute(self.directory, "system_powerdown")
            graceful = process.wait(timeout)
        except EnvironmentFault:  # it has just ended, or hangs
            graceful = process.wait(0)
        if not graceful:
            self.kill()
        self._reap()
        return graceful

    def kill(self) -> None:
        """Pull the plug."""
        if process := self.process():
            process.kill()
        self._reap()

    def remove(self) -> None:
        """Pull the plug and remove everything, disks included."""
        self.kill()
        self.store.remove(self.name)

    def console_text(self) -> str:
        """Give what the console printed since the last start, as plain text."""
        return plain_text(_read(self.directory / qemu.CONSOLE_LOG))

    def console_tail(self, lines: int = 20) -> str:
        """Give the console's last lines that are not empty."""
        return tail(_read(self.directory / qemu.CONSOLE_LOG), lines)

    def qemu_output(self) -> str:
        """Give what QEMU itself printed since the last start; nothing when all is well."""
        return _read(self.directory / QEMU_LOG).decode(errors="replace").strip()

    def status(self) -> NodeStatus | None:
        """Give what the node last said about itself since the last start; None when it has said nothing yet."""
        status = latest_status(_read(self.directory / qemu.STATUS_LOG))
        return status or ready_from_console(self.console_text())

    def state(self) -> str:
        """Give one word for lists: stopped, booting, ready, or degraded (runs, and says that it is not ready)."""
        if not self.is_running():
            return "stopped"
        status = self.status()
        if status is None:
            return "booting"
        return "ready" if status.ready else "degraded"

    def docker_environment(self) -> dict[str, str]:
        """Give the variables that make any Docker client talk to this machine."""
        return docker_environment(self.record.docker_port, self.directory / CERTIFICATES)

    def _prepare(self) -> None:
        for name in (qemu.MONITOR_SOCKET, qemu.CONSOLE_SOCKET, TPM_SOCKET):
            (self.directory / name).unlink(missing_ok=True)
        for name in (qemu.CONSOLE_LOG, qemu.STATUS_LOG):  # the last run's are kept once: it may have ended badly
            if (self.directory / name).exists():
                (self.directory / name).replace(self.directory / f"{name}.old")
        if not self.record.hands_user_data:
            return
        docker = DockerCertificates.read(self.directory / CERTIFICATES)
        text = compose((self.directory / USER_DATA).read_text(), docker, self._api_certificates())
        _write_private(self.directory / qemu.CREDENTIALS, smbios_string(text))

    def _api_certificates(self) -> ApiCertificates:
        directory = self.directory / API_CERTIFICATES
        if not directory.exists():  # made by a version that had no such API
            make_api_certificates(self.name).write(directory)
        return ApiCertificates.read(directory)

    def _await_monitor(self, child: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            if child.poll() is not None:
                raise EnvironmentFault(
                    f"QEMU ended with code {child.returncode}:\n{self.qemu_output()}",
                    f"its output is also in {self.directory / QEMU_LOG}",
                )
            if answers(self.directory):
                return
            time.sleep(0.05)
        self.kill()
        raise EnvironmentFault(f"QEMU's monitor did not appear within {START_TIMEOUT:.0f} s:\n{self.qemu_output()}")

    def _update(self, changes: dict[str, Any]) -> None:
        if changes:
            self.record = self.record.model_copy(update=changes)
            self.store.write(self.record)

    def _reap(self) -> None:
        if self._child is not None:
            self._child.wait()
            self._child = None


def _fill(
    directory: Path,
    record: MachineRecord,
    image: Path,
    user_data: str,
    toolbox: Toolbox,
    keys: FirmwareKeys,
    step: Step,
) -> None:
    try:
        step.note("certificates")
        make_certificates(record.name).write(directory / CERTIFICATES)
        make_api_certificates(record.name).write(directory / API_CERTIFICATES)
        _write_private(directory / USER_DATA, user_data)
        step.note("firmware variables")
        make_variables(directory / qemu.FIRMWARE_VARIABLES, keys, toolbox)
        if record.tpm:
            step.note("TPM")
            make_tpm(directory, toolbox)
        step.note("disk")
        make_disk(image, directory / qemu.DISK, record.disk_size, toolbox, step)
        if record.data_disk_size is not None:
            make_data_disk(directory / qemu.DATA_DISK, record.data_disk_size, toolbox)
        write_record(directory, record)
    except OSError as error:
        raise EnvironmentFault(
            f"could not make the machine {record.name}: {error}",
            "is there room on the disk? what was begun has been removed",
        ) from error


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
