# SPDX-License-Identifier: Apache-2.0 OR MIT
"""QEMU's monitor, one command at a time (https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html)."""

import asyncio
import contextlib
from collections.abc import Mapping
from pathlib import Path

from qemu.qmp import QMPClient, QMPError

from pinwheel.errors import EnvironmentFault
from pinwheel.machine.qemu import MONITOR_SOCKET
from pinwheel.machine.sockets import connect

ANSWER_TIMEOUT = 5.0
"""Seconds: QEMU answers from its main loop, which a busy workstation may delay."""


def execute(directory: Path, command: str, arguments: Mapping[str, object] | None = None) -> object:
    """Run a command on the monitor of the machine in `directory` and give QEMU's answer.

    Raises:
        EnvironmentFault: QEMU is not there, does not answer, or refuses.
    """
    try:
        return asyncio.run(_execute(directory, command, arguments))
    except TimeoutError as error:
        raise EnvironmentFault(f"QEMU did not answer {command} within {ANSWER_TIMEOUT:.0f} s") from error
    except (OSError, QMPError, EOFError) as error:
        raise EnvironmentFault(f"QEMU's monitor did not take {command}: {error}") from error


def answers(directory: Path) -> bool:
    """Tell whether QEMU answers on the monitor of the machine in `directory`.

    That its socket is there is not enough: a QEMU that finds its disk missing has made the socket before it ends.
    """
    if not (directory / MONITOR_SOCKET).exists():
        return False
    try:
        execute(directory, "query-status")
    except EnvironmentFault:
        return False
    return True


async def _execute(directory: Path, command: str, arguments: Mapping[str, object] | None) -> object:
    client = QMPClient()
    async with asyncio.timeout(ANSWER_TIMEOUT):
        await client.connect(connect(directory, MONITOR_SOCKET, ANSWER_TIMEOUT))
        try:
            return await client.execute(command, arguments)
        finally:
            with contextlib.suppress(QMPError, EOFError, OSError):  # after `quit` nobody is left to say goodbye to
                await client.disconnect()
