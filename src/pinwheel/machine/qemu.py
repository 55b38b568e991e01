# SPDX-License-Identifier: Apache-2.0 OR MIT
"""QEMU's command line for a machine; pure, so that tests can read it.

QEMU runs with the machine's directory as its working directory, and every file is named relative to it: no path needs
QEMU's comma escapes, and no Unix socket meets the limit of 107 bytes (sun_path in unix(7)).
Options: https://www.qemu.org/docs/master/system/invocation.html
"""

from pinwheel.machine import tpm
from pinwheel.machine.record import API_GUEST_PORT, DOCKER_GUEST_PORT, LOOPBACK, MIB, MachineRecord, PortForward

PROGRAM = "qemu-system-x86_64"
FIRMWARE_CODE = "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd"
"""The build of OVMF that enforces Secure Boot. It needs SMM, which costs 0.4 s under emulation. The build without SMM
(OVMF_CODE_4M.fd) was tried with the same variables: it started an unsigned loader."""

DISK = "disk.raw"
DATA_DISK = "data.raw"
FIRMWARE_VARIABLES = "firmware.vars"
CONSOLE_SOCKET = "console.sock"
CONSOLE_LOG = "console.log"
MONITOR_SOCKET = "monitor.sock"
STATUS_LOG = "status.jsonl"
CREDENTIALS = "credentials.smbios"
STATUS_PORT = "org.pinwheel.status"
"""The virtio-serial port to which the node writes its status, one JSON document on a line."""

TRANSLATION_CACHE_MIB = 512
"""Room for translated guest code under TCG, so that a boot does not throw its own translations away."""


def qemu_command(record: MachineRecord, *, kvm: bool) -> list[str]:
    """Give the command that runs the machine, in its directory, inside the toolbox."""
    command = [
        PROGRAM,
        *_board(record, kvm=kvm),
        *_firmware(),
        *_credentials(record),
        *_disks(record),
        *_network(record),
        *_channels(),
        *_tpm(record),
    ]  # fmt: skip
    return tpm.with_tpm(command) if record.tpm else command


def _board(record: MachineRecord, *, kvm: bool) -> list[str]:
    accelerator = "kvm" if kvm else f"tcg,thread=multi,tb-size={TRANSLATION_CACHE_MIB}"
    return [
        "-nodefaults", "-no-user-config",
        "-name", f"guest={record.name}",
        "-uuid", record.uuid,
        "-machine", "q35,smm=on,vmport=off,sata=off,smbus=off",
        "-accel", accelerator,
        "-cpu", "max",
        "-smp", str(record.cpus),
        "-m", f"{record.memory // MIB}M",
        "-rtc", "base=utc",
        "-display", "none", "-vga", "none",
        "-device", "virtio-rng-pci",
    ]  # fmt: skip


def _firmware() -> list[str]:
    return [
        # Only code in SMM may write the variables, so the guest's kernel cannot turn Secure Boot off.
        "-global", "driver=cfi.pflash01,property=secure,value=on",
        "-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={FIRMWARE_CODE}",
        "-drive", f"if=pflash,unit=1,format=raw,file={FIRMWARE_VARIABLES}",
        # What this firmware would prepare for and never use: sleep states and network boot.
        "-global", "ICH9-LPC.disable_s3=1", "-global", "ICH9-LPC.disable_s4=1",
        "-fw_cfg", "name=opt/org.tianocore/IPv4PXESupport,string=n",
        "-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=n",
    ]  # fmt: skip


def _credentials(record: MachineRecord) -> list[str]:
    # For systemd (systemd.io/CREDENTIALS): SMBIOS type 11 strings, from a file because of their size.
    return ["-smbios", f"type=11,path={CREDENTIALS}"] if record.hands_user_data else []


def _disks(record: MachineRecord) -> list[str]:
    words = _disk("system", DISK, boot=True)
    if record.data_disk_size is not None:
        words += _disk("data", DATA_DISK, boot=False)
    return words


def _disk(name: str, file: str, *, boot: bool) -> list[str]:
    # The guest sees the serial as /dev/disk/by-id/virtio-pinwheel-<name>.
    device = f"virtio-blk-pci,drive={name},serial=pinwheel-{name}" + (",bootindex=0" if boot else "")
    backend = f"driver=raw,node-name={name},discard=unmap,file.driver=file,file.filename={file}"
    return ["-blockdev", backend, "-device", device]


def _network(record: MachineRecord) -> list[str]:
    ports = [PortForward(address=LOOPBACK, host=record.docker_port, guest=DOCKER_GUEST_PORT)]
    if record.api_port is not None:
        ports.append(PortForward(address=LOOPBACK, host=record.api_port, guest=API_GUEST_PORT))
    ports += record.publish
    forwards = "".join(f",hostfwd={port.protocol}:{port.address}:{port.host}-:{port.guest}" for port in ports)
    return ["-netdev", f"user,id=net{forwards}", "-device", "virtio-net-pci,netdev=net,romfile="]


def _channels() -> list[str]:
    return [
        "-chardev", f"socket,id=console,path={CONSOLE_SOCKET},server=on,wait=off,logfile={CONSOLE_LOG},logappend=on",
        "-serial", "chardev:console",
        "-chardev", f"file,id=status,path={STATUS_LOG},append=on",
        "-device", "virtio-serial-pci",
        "-device", f"virtserialport,chardev=status,name={STATUS_PORT}",
        "-qmp", f"unix:{MONITOR_SOCKET},server=on,wait=off",
    ]  # fmt: skip


def _tpm(record: MachineRecord) -> list[str]:
    if not record.tpm:
        return []
    return [
        "-chardev", f"socket,id=tpm,path={tpm.SOCKET}",
        "-tpmdev", "emulator,id=tpm,chardev=tpm",
        "-device", "tpm-crb,tpmdev=tpm",
    ]  # fmt: skip
