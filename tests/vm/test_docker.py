# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What a node is for: containers that are pulled, run, limited, published and looked at."""

import json
import time
import urllib.request
from collections.abc import Callable

import pytest
from tests.support.lab import Docker, Lab
from tests.vm.conftest import HTTP_PORT

from pinwheel.machine.machine import Machine

pytestmark = pytest.mark.vm

Container = Callable[..., str]


def inspect(docker: Docker, name: str, template: str) -> str:
    return docker("inspect", "--format", template, name)


def test_image_is_pulled_from_a_registry_and_run(docker: Docker, busybox: str) -> None:
    docker.attempt("image", "rm", "--force", busybox)  # another test may have pulled it
    assert "Downloaded newer image" in docker("pull", busybox)
    assert docker("run", "--rm", busybox, "echo", "hello from a container") == "hello from a container"


def test_docker_verb_runs_the_client_and_passes_on_its_exit_code(lab: Lab, node: Machine, busybox: str) -> None:
    done = lab.pinwheel("docker", node.name, "--", "run", "--rm", busybox, "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.returncode, done.stdout, done.stderr.splitlines()[-1:]) == (7, "out\n", ["err"])


def test_engine_is_set_up_as_the_design_says(docker: Docker) -> None:
    info = json.loads(docker("info", "--format", "json"))
    assert info["CgroupDriver"] == "systemd"
    assert info["CgroupVersion"] == "2"
    assert info["Driver"] == "overlay2"
    assert info["LiveRestoreEnabled"] is True
    assert info["OperatingSystem"].startswith("Pinwheel ")
    assert not [warning for warning in info["Warnings"] or [] if "support" in warning or "disabled" in warning]


def test_published_port_is_reached_from_the_workstation(node: Machine, container: Container) -> None:
    serve = "mkdir /www && echo a page > /www/index.html && exec httpd -f -p 80 -h /www"
    container("--publish", f"{HTTP_PORT}:80", command=("sh", "-c", serve))
    (forward,) = node.record.publish
    assert fetch(f"http://{forward.address}:{forward.host}/") == b"a page\n"


def fetch(url: str) -> bytes:
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return bytes(answer.read())
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def test_containers_find_each_other_by_name(docker: Docker, container: Container, busybox: str) -> None:
    docker("network", "create", "pair")
    try:
        container("--network", "pair", "--name", "server")
        assert "server" in docker("run", "--rm", "--network", "pair", busybox, "ping", "-c", "1", "-w", "20", "server")
    finally:
        docker("rm", "--force", "server")
        docker("network", "rm", "pair")


def test_process_that_exceeds_the_memory_limit_is_killed_and_the_engine_says_so(
    docker: Docker, container: Container
) -> None:
    eat = "a=0123456789abcdef; while true; do a=$a$a; done"
    eater = container("--memory", "32m", command=("sh", "-c", f"sh -c '{eat}'; echo $?; sleep 600"))
    deadline = time.monotonic() + 60
    while inspect(docker, eater, "{{.State.OOMKilled}}") != "true":
        assert time.monotonic() < deadline, docker("logs", eater)
        time.sleep(0.5)
    assert docker("logs", eater).splitlines()[-1] == "137"
    assert docker.cat(eater, "/sys/fs/cgroup/memory.max") == str(32 * 1024**2)


def test_container_gets_no_more_processor_time_than_its_limit(docker: Docker, container: Container) -> None:
    busy = container("--cpus", "0.5", command=("sh", "-c", "while true; do :; done"))
    stat = "/sys/fs/cgroup/cpu.stat"
    assert docker.cat(busy, "/sys/fs/cgroup/cpu.max").split() == ["50000", "100000"]
    # Measured by the guest's own clock: under emulation the workstation's runs differently.
    measure = f"cat {stat} /proc/uptime; sleep 5; cat {stat} /proc/uptime"
    lines = docker("exec", busy, "sh", "-c", measure).splitlines()
    used = [int(line.split()[1]) / 1e6 for line in lines if line.startswith("usage_usec")]
    passed = [float(line.split()[0]) for line in lines if line[0].isdigit()]
    share = (used[1] - used[0]) / (passed[1] - passed[0])
    assert 0.2 < share < 0.65
    assert int(next(line for line in reversed(lines) if line.startswith("nr_throttled")).split()[1]) > 0


def test_container_with_init_is_looked_at_and_stopped(docker: Docker, container: Container) -> None:
    running = container("--init", command=("sh", "-c", "echo first; echo second; exec sleep 600"))
    assert docker("logs", running).splitlines() == ["first", "second"]
    assert "docker-init" in docker.cat(running, "/proc/1/cmdline")
    assert "sleep 600" in docker("top", running)
    assert json.loads(inspect(docker, running, "{{json .HostConfig.LogConfig}}")) == {
        "Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"},
    }  # fmt: skip
    started = time.monotonic()
    docker("stop", "--time", "60", running)
    assert time.monotonic() - started < 50  # `sleep` as the first process would ignore the signal
    assert inspect(docker, running, "{{.State.ExitCode}}") == "143"


def test_containers_live_on_when_the_engine_starts_again(docker: Docker, container: Container, busybox: str) -> None:
    survivor = container()
    before = inspect(docker, survivor, "{{.State.Pid}} {{.State.StartedAt}}")
    on_the_node = ("--privileged", "--pid", "host", "--entrypoint", "/bin/busybox", busybox, "nsenter", "-t", "1", "-m")
    docker.attempt("run", "--name", "operator", *on_the_node, "/usr/bin/systemctl", "restart", "docker.service")
    try:
        wait_for_engine(docker)
        assert inspect(docker, "operator", "{{.State.ExitCode}}") == "0"
        assert inspect(docker, survivor, "{{.State.Pid}} {{.State.StartedAt}}") == before
        assert docker("exec", survivor, "echo", "alive") == "alive"
    finally:
        docker("rm", "--force", "operator")


def wait_for_engine(docker: Docker) -> None:
    deadline = time.monotonic() + 120
    while docker.attempt("version").returncode:
        assert time.monotonic() < deadline
        time.sleep(1)
