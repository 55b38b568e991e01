# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The Docker client for a machine: which program, and which environment makes it talk to that machine's engine."""

import shlex
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pinwheel.image.toolbox import Toolbox
from pinwheel.machine.record import LOOPBACK

_OVERRIDING = ("DOCKER_CONTEXT", "DOCKER_API_VERSION", "DOCKER_TLS")
"""Variables of the user's own that would lead the client elsewhere, or make it speak differently."""


def docker_environment(port: int, certificates: Path) -> dict[str, str]:
    """Give the variables that any Docker client reads (docs.docker.com/reference/cli/docker/#environment-variables)."""
    return {
        "DOCKER_HOST": f"tcp://{LOOPBACK}:{port}",
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": str(certificates),
    }


def export_lines(variables: Mapping[str, str]) -> str:
    """Give the variables as lines for a POSIX shell's `eval`."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items())


def client_environment(variables: Mapping[str, str], base: Mapping[str, str]) -> dict[str, str]:
    """Give the environment to run a client in: the user's own, made to lead to the machine."""
    return {name: value for name, value in base.items() if name not in _OVERRIDING} | dict(variables)


def client_command(
    arguments: Sequence[str], variables: Mapping[str, str], toolbox: Callable[[], Toolbox], working_directory: Path
) -> list[str]:
    """Give the command that runs a Docker client: the host's own when there is one, else the toolbox's.

    Args:
        arguments: for the client.
        variables: from `docker_environment`.
        toolbox: gives the toolbox; called only when it is needed.
        working_directory: what the toolbox's client may read and write besides, for `build` and `cp`.
    """
    if program := host_client():
        return [program, *arguments]
    settings = [f"{name}={value}" for name, value in variables.items()]
    argv = ["env", f"--chdir={working_directory}", *settings, "docker", *arguments]
    certificates = Path(variables["DOCKER_CERT_PATH"])
    return toolbox().command(argv, readable=[certificates], writable=[working_directory], network=True)


def host_client(path: str | None = None) -> str | None:
    """Give the host's Docker client, or None. Podman's stand-in is passed over: it has no client side for Docker's API.

    Args:
        path: where to look, in the form of PATH; by default PATH itself.
    """
    program = shutil.which("docker", path=path)
    if program is None:
        return None
    with Path(program).open("rb") as file:
        start = file.read(4096)
    return None if start.startswith(b"#!") and b"podman" in start else program
