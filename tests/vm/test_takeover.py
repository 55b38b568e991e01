# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The worst that can happen to the process that listens: somebody runs code of their own in it, any code.

A launcher that runs the test's code takes the place of the service's, in the unit's own sandbox; the same code as root
without a sandbox shows that the attempts work at all.
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.lab import Docker
from tests.vm.test_security import Operator, archive, operator

from pinwheel.image.python_definition import read_python_definition
from pinwheel.image.python_runtime import build_launchers, build_python_runtime
from pinwheel.image.toolbox import Toolbox
from pinwheel.paths import PROJECT, cache_directory
from pinwheel.progress import SilentProgress

__all__ = ["operator"]
pytestmark = pytest.mark.vm

SOURCES = PROJECT / "tests/support/takeover"
PLACE = "/run/takeover"
ENTRY_POINTS = {"api": "takeover:main", "boot": "takeover:stranger", "status": "takeover:commands"}

IN_PLACE = f"""[Service]
Type=oneshot
TimeoutStartSec=300
ExecStart=
ExecStart={PLACE}/launch NAME
ExecPaths={PLACE}
BindReadOnlyPaths={PLACE}
"""
"""A drop-in: everything else is the unit's own."""
WITHOUT_SANDBOX = f"""[Service]
Type=oneshot
TimeoutStartSec=300
ExecStart={PLACE}/launch NAME
RuntimeDirectory=takeover
RuntimeDirectoryPreserve=yes
"""

NOT_EVEN_ROOT = {
    "load a kernel": "lockdown",
    "load a module": "what is offered is none",
    "read /dev/mem": "lockdown",
}
"""What fails without a sandbox too; with it, it fails before it gets that far."""


@pytest.fixture(scope="module")
def launcher(operator: Operator, toolbox: Toolbox, tmp_path_factory: pytest.TempPathFactory) -> Operator:
    """Put a launcher that runs the test's code onto the node."""
    built, sources = tmp_path_factory.mktemp("takeover"), tmp_path_factory.mktemp("sources")
    shutil.copy(SOURCES / "takeover.py", sources)
    compile_extension(toolbox, sources)
    declared = read_python_definition()
    launching = declared.launcher.model_copy(update={"entry_points": ENTRY_POINTS, "commands": []})
    modules = declared.modules.model_copy(update={"own": ["takeover"], "directory": f"{PLACE}/python"})
    definition = replace(declared, modules=modules, launcher=launching)
    build_python_runtime(
        toolbox, built / "python", cache_directory(), SilentProgress(), definition=definition, sources=sources
    )
    build_launchers(toolbox, built, definition=definition)
    operator.unpack(archive({f"/host{PLACE}/{file.relative_to(built)}": file.read_bytes() for file in files(built)}))
    return operator


def compile_extension(toolbox: Toolbox, target: Path) -> None:
    command = ["gcc", "-shared", "-fPIC", "-O1", "-I/usr/include/python3.13", "-o"]
    output = target / "rawcall.cpython-313-x86_64-linux-gnu.so"
    toolbox.run([*command, output, SOURCES / "rawcall.c"], readable=[SOURCES], writable=[target])


def files(directory: Path) -> list[Path]:
    return [file for file in directory.rglob("*") if file.is_file()]


def systemctl(operator: Operator, *words: str) -> None:
    code, said = operator.run(f"busybox nsenter -t 1 -m /usr/bin/systemctl {' '.join(words)}")
    assert code == 0, said


def run_unit(operator: Operator, name: str, unit: str, content: str, directory: str) -> dict[str, str]:
    """Write a unit or a drop-in, run the unit to its end, and give what its attempts came to."""
    operator.unpack(archive({f"/host/run/systemd/system/{unit}": content.encode()}))
    systemctl(operator, "daemon-reload")
    try:
        systemctl(operator, "start", name)
        outcomes: dict[str, str] = json.loads(operator.read(f"/host/run/{directory}/outcomes.json"))
    finally:
        operator.run(f"rm -rf /host/run/systemd/system/{unit} /host/run/{directory}/outcomes.json")
        systemctl(operator, "daemon-reload")
    return outcomes


def take_over(operator: Operator, service: str, entry: str) -> dict[str, str]:
    dropin = f"{service}.service.d/90-takeover.conf"
    systemctl(operator, "stop", f"{service}.service")
    return run_unit(operator, f"{service}.service", dropin, IN_PLACE.replace("NAME", entry), service)


def free(operator: Operator, entry: str, more: str = "") -> dict[str, str]:
    content = WITHOUT_SANDBOX.replace("NAME", entry) + more
    return run_unit(operator, "takeover.service", "takeover.service", content, "takeover")


@pytest.fixture(scope="module")
def pid_of_engine(launcher: Operator) -> Iterator[None]:
    """Tell the attempts whose memory to try."""
    code, pid = launcher.run("busybox pidof dockerd")
    assert code == 0
    launcher.unpack(archive({"/host/run/pinwheel/takeover-pid": pid.encode()}))
    yield
    launcher.run("rm /host/run/pinwheel/takeover-pid")


@pytest.mark.usefixtures("pid_of_engine")
def test_attempts_work_without_a_sandbox(launcher: Operator) -> None:
    outcomes = free(launcher, "api", "PrivateMounts=yes\n")
    assert {name: refused for name, refused in outcomes.items() if refused and name not in NOT_EVEN_ROOT} == {}


@pytest.mark.usefixtures("pid_of_engine")
def test_code_inside_the_service_gets_nowhere(launcher: Operator) -> None:
    outcomes = take_over(launcher, "pinwheel-api", "api")
    assert len(outcomes) > 40
    assert {name for name, refused in outcomes.items() if not refused} == set()
    secrets = [outcomes["read /var/lib/pinwheel/settings/generations"], outcomes["read /proc/1/mem"]]
    assert all("Permission" in words or "No such file" in words for words in secrets), secrets


def test_code_inside_the_service_can_ask_the_actuator_for_its_verbs_only(launcher: Operator) -> None:
    answers = take_over(launcher, "pinwheel-api", "status")
    assert answers
    for request, answer in answers.items():
        assert (json.loads(answer)["kind"], json.loads(answer)["status"]) == ("failed", 400), request


def test_others_can_open_neither_the_actuator_nor_the_api(launcher: Operator) -> None:
    outcomes = free(launcher, "boot", "User=systemd-timesync\n")
    assert {words.partition(":")[0] for words in outcomes.values()} == {"PermissionError"}, outcomes


def test_the_service_answers_again_afterwards(launcher: Operator, docker: Docker, busybox: str) -> None:
    code, said = launcher.run("ls -ln /host/run/pinwheel/api.sock /host/run/pinwheel/actuator.sock")
    assert code == 0, said
    assert "srw-rw----    1 0        274" in said
    assert "srw-------    1 275 " in said
    assert docker("run", "--rm", busybox, "echo", "containers live") == "containers live"
