# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Boot Pinwheel once: the workstation waits for the engine's API, runs the first container, then the observer."""

import http.client
import os
import ssl
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import tomli_w
from bench.boot import observe
from bench.boot.console import Console
from bench.boot.result import Boot
from bench.boot.settings import BOOT_TIMEOUT, Settings
from bench.boot.tools import processor_time

from pinwheel.errors import EnvironmentFault
from pinwheel.machine import qemu
from pinwheel.machine.docker_client import client_command, client_environment
from pinwheel.machine.machine import Machine
from pinwheel.machine.record import API_GUEST_PORT, DOCKER_GUEST_PORT, LOOPBACK

NODE_READY = r"pinwheel: ready\b"
"""What the node says on the console when engine and network are up and no unit has failed."""

ASKED_FOR = (f"{DOCKER_GUEST_PORT}/tcp", f"{API_GUEST_PORT}/tcp")
"""The ports that are open because the user data of every machine of `run` asks for them."""

_READY_TIMEOUT = 30.0
"""Seconds, counted from the end of the observation: a node that idles and is not ready by then will not become so."""
_ASK_EVERY = 0.1
_ASK_TIMEOUT = 2.0


def user_data(registry: str) -> str:
    """Give the node's user data."""
    return tomli_w.dumps({"settings": {"docker": {"insecure-registries": [registry]}}})


def boot_pinwheel(image: Path, reference: str, registry: str, settings: Settings, name: str) -> Boot:
    """Boot once from a fresh copy of the image.

    Raises:
        TimeoutError: the node did not become ready, or its engine did not answer.
        EnvironmentFault: a command of the Docker client failed.
    """
    machine = settings.create(name, image, user_data=user_data(registry))
    try:
        started = time.monotonic()
        with Console(machine.directory / qemu.CONSOLE_LOG, started) as console:
            machine.start(settings.toolbox)
            client = _Client(machine, settings)
            client.wait_until_api_answers(started + BOOT_TIMEOUT)
            api_answers = time.monotonic() - started
            first_container = client.seconds_to_output(observe.first_container(reference), started)
            used = processor_time(machine)
            observation = _observe(client, reference)
            ready = console.wait_for(NODE_READY, _READY_TIMEOUT)
            return Boot(ready.at, first_container, used, observation, api_answers)
    finally:
        machine.remove()


def _observe(client: "_Client", reference: str) -> observe.Observation:
    client.output(observe.observer(reference))
    started = time.monotonic()
    _sleep_until(started + observe.SECOND_CONTAINER_AT)
    client.output(observe.second_container(reference))
    _sleep_until(started + observe.REPORT_AT)
    return observe.read_report(client.output(observe.report()))


def _sleep_until(moment: float) -> None:
    time.sleep(max(0.0, moment - time.monotonic()))


class _Client:
    """The Docker client, and a bare request for the moment when the API begins to answer."""

    def __init__(self, machine: Machine, settings: Settings) -> None:
        self._machine = machine
        self._settings = settings
        self._variables = machine.docker_environment()

    def wait_until_api_answers(self, deadline: float) -> None:
        """Ask `GET /_ping` over TLS until there is an answer."""
        context = tls_context(self._variables)
        while not self._answers(context):
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"the engine's API did not answer; the console's end:\n{self._machine.console_tail()}"
                )
            time.sleep(_ASK_EVERY)

    def _answers(self, context: ssl.SSLContext) -> bool:
        port = self._machine.record.docker_port
        connection = http.client.HTTPSConnection(LOOPBACK, port, timeout=_ASK_TIMEOUT, context=context)
        try:
            connection.request("GET", "/_ping")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def output(self, arguments: Sequence[str]) -> str:
        """Run the client to its end and give what it printed."""
        done = subprocess.run(
            self._command(arguments), env=self._environment(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise EnvironmentFault(f"docker {' '.join(arguments)[:60]} failed: {done.stderr.strip()[-1000:]}")
        return done.stdout

    def seconds_to_output(self, arguments: Sequence[str], started: float) -> float:
        """Run the client and give the seconds from `started` to its first line of output."""
        with subprocess.Popen(
            self._command(arguments), env=self._environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            line = process.stdout.readline() if process.stdout else b""
            at = time.monotonic() - started
            _, said = process.communicate()
        if process.returncode or observe.FIRST_CONTAINER.encode() not in line:
            raise EnvironmentFault(f"the first container did not run: {said.decode(errors='replace')[-1000:]}")
        return at

    def _command(self, arguments: Sequence[str]) -> list[str]:
        return client_command(
            arguments, self._variables, lambda: self._settings.toolbox, working_directory=self._machine.directory
        )

    def _environment(self) -> dict[str, str]:
        return client_environment(self._variables, os.environ)


def tls_context(variables: Mapping[str, str]) -> ssl.SSLContext:
    """Give the TLS settings that a Docker client takes from DOCKER_CERT_PATH."""
    directory = Path(variables["DOCKER_CERT_PATH"])
    context = ssl.create_default_context(cafile=directory / "ca.pem")
    context.load_cert_chain(directory / "cert.pem", directory / "key.pem")
    return context
