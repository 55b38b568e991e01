# SPDX-License-Identifier: Apache-2.0 OR MIT
"""How the verbs show a machine: as text, as a document, as completions."""

import os
from typing import Any

from pinwheel.api.client.text import human_duration
from pinwheel.machine.machine import API_CERTIFICATES, Machine
from pinwheel.machine.node_status import NodeStatus
from pinwheel.machine.record import DEFAULT_NAME, LOOPBACK, MIB
from pinwheel.machine.store import MachineStore


def program() -> str:
    """Give what the user types to start `pinwheel`."""
    return os.environ.get("PINWHEEL_PROGRAM", "pinwheel")


def complete_names(incomplete: str) -> list[str]:
    """Give the names of machines that begin so, for the shell's completion."""
    return [name for name in MachineStore().names() if name.startswith(incomplete)]


def machine_document(machine: Machine) -> dict[str, Any]:
    """Give all that is known of a machine, for `--json`. Sizes are bytes."""
    record, process, status = machine.record, machine.process(), machine.status()
    return {
        "name": record.name,
        "state": machine.state(),
        "version": (status.version if status else None) or record.version,
        "variant": record.variant,
        "image": record.image,
        "created": record.created.isoformat(),
        "memory": record.memory,
        "cpus": record.cpus,
        "disk": {"path": str(machine.disk), "size": record.disk_size},
        "data_disk_size": record.data_disk_size,
        "tpm": record.tpm,
        "docker": machine.docker_environment(),
        "api": {"port": record.api_port, "certificates": str(machine.directory / API_CERTIFICATES)},
        "publish": [forward.model_dump() for forward in record.publish],
        "pid": process.pid if process else None,
        "uptime_seconds": round(process.uptime(), 1) if process else None,
        "node": status.model_dump(mode="json", by_alias=True) if status and process else None,
    }


def list_row(machine: Machine) -> list[str]:
    """Give a machine's row of `pinwheel ps`."""
    record, process = machine.record, machine.process()
    api = [f"{record.api_port}->api"] if record.api_port else []
    ports = [f"{record.docker_port}->docker", *api, *map(str, record.publish)]
    return [
        record.name,
        machine.state(),
        f"{record.variant} {record.version or '-'}",
        f"{record.memory // MIB} MiB",
        str(record.cpus),
        human_duration(process.uptime()) if process else "-",
        " ".join(ports) if process else "-",
    ]


def status_lines(machine: Machine) -> list[tuple[str, str]]:
    """Give what `pinwheel status` says, as names and values."""
    record, process, status = machine.record, machine.process(), machine.status()
    lines = [("machine", f"{record.name}, {machine.state()}")]
    if process:
        lines.append(("running for", f"{human_duration(process.uptime())} (process {process.pid})"))
    if process and status:
        lines += _node_lines(status)
    lines.append(("memory, processors", f"{record.memory // MIB} MiB, {record.cpus}"))
    if process:
        lines.append(("Docker API", machine.docker_environment()["DOCKER_HOST"]))
    if process and status and status.api.fingerprint:
        lines.append(("settings API", f"{LOOPBACK}:{record.api_port}, {status.api.fingerprint}"))
    lines += [("published", str(forward)) for forward in record.publish]
    lines.append(("files", str(machine.directory)))
    return lines


def next_steps(machine: Machine, status: NodeStatus | None) -> str:
    """Give what to type next."""
    name = "" if machine.name == DEFAULT_NAME else f" {machine.name}"
    head = f"The machine {machine.name} runs; its node is not known to be ready yet."
    if status and status.ready:
        addresses = f" at {', '.join(status.addresses)}" if status.addresses else ""
        head = f"The machine {machine.name} is ready: Pinwheel {status.version} ({status.variant}){addresses}."
    commands = [
        (f"docker{name or ' ' + DEFAULT_NAME} -- run --rm hello-world", "any Docker command"),
        (f"docker{name or ' ' + DEFAULT_NAME} --env", "the variables for other Docker clients"),
        (f"status{name}", "what the node says about itself"),
        (f"node {name.strip() or DEFAULT_NAME} get", "its settings; `node ... --help` has all verbs"),
        (f"node {name.strip() or DEFAULT_NAME} dashboard", "the node on one screen"),
        (f"console{name}", "its console; Ctrl-] leaves"),
        (f"stop{name}", "power off; the disk stays"),
    ]
    width = max(len(command) for command, _ in commands)
    return "\n".join([head, *(f"  {program()} {command:{width}}  # {what}" for command, what in commands)])


def _node_lines(status: NodeStatus) -> list[tuple[str, str]]:
    lines = [
        ("Pinwheel", f"{status.version} ({status.variant}), slot {status.slot}"),
        ("root hash", status.root_hash),
        ("kernel", status.kernel),
        ("host name", status.hostname),
        ("addresses", ", ".join(status.addresses)),
        ("Secure Boot", "on" if status.secure_boot else "off"),
        ("user data", status.user_data.source),
    ]
    lines += [("not ready", reason) for reason in status.reasons]
    lines += [("problem", str(problem)) for problem in status.user_data.problems]
    return [(name, value) for name, value in lines if value]
