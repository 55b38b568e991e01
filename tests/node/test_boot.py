# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A boot below a temporary root: user data in, files, status and console out."""

import base64
import fcntl
import json
import threading
import time
from typing import Any

import pytest
import tomli_w
from tests.support.node_root import console, program, put

from pinwheel.node import boot, status
from pinwheel.node import paths as places
from pinwheel.node.boot import Waiting, reporting, wait_until_ready
from pinwheel.node.boot_settings import configure
from pinwheel.node.paths import Paths
from pinwheel.node.status import last_document, look_once
from pinwheel.node.system import this_system
from pinwheel.node.user_data.find import Found

QUICK = Waiting(pause=0.02, units_every=0.05, report_every=0.1, give_up_after=10.0)


def pem(label: str) -> str:
    return base64.b64encode(f"-----BEGIN {label}-----\nMAMCAQU=\n-----END {label}-----\n".encode()).decode()


REMOTE = {
    "enabled": True,
    "client-ca": pem("CERTIFICATE"),
    "server-certificate": pem("CERTIFICATE"),
    "server-key": pem("PRIVATE KEY"),
}


def found(**settings: object) -> Found:
    return Found("credential", tomli_w.dumps({"settings": settings}).encode())


def engine_configuration(root: Paths) -> dict[str, Any]:
    configuration: dict[str, Any] = json.loads(root.at(places.DAEMON_JSON).read_bytes())
    return configuration


def refusing_engine(root: Paths, words: str) -> None:
    """Put an engine in place that refuses a candidate with a log driver of `local`, and notes its arguments."""
    program(
        root,
        places.ENGINE,
        f'echo "$@" >> {root.root}/asked\n'
        f'if grep -q \'"log-driver": "local"\' "$3"; then echo "{words}: $3" >&2; exit 1; fi\n'
        "echo configuration OK >&2",
    )


def test_node_without_user_data_gets_the_defaults(root):
    assert configure(this_system(root), Found("none", b"")) == []
    assert engine_configuration(root)["hosts"] == ["unix:///run/docker.sock"]
    assert not root.at(places.TLS_KEY).exists()
    assert console(root) == ""


def test_user_data_takes_effect_below_run_and_in_the_kernel(root):
    given = found(
        network={"hostname": "node-7", "https-proxy": "http://proxy:3128"},
        ntp={"time-servers": ["ntp.example.com"]},
        kernel={"sysctl": {"vm.max_map_count": "262144"}},
        docker={"remote": REMOTE},
    )
    assert configure(this_system(root), given) == []
    assert root.text(f"{places.SYSCTLS}/kernel/hostname") == "node-7"
    assert root.text(f"{places.SYSCTLS}/vm/max_map_count") == "262144"
    assert "ntp.example.com" in root.text(places.TIMESYNCD)
    assert root.at(places.TLS_KEY).stat().st_mode & 0o777 == 0o600
    assert root.at(places.PROXY_ENV).stat().st_mode & 0o777 == 0o600
    assert engine_configuration(root)["tlsverify"] is True


def test_mistakes_are_on_the_console_with_their_lines(root):
    text = b'[settings]\nmotd = "hi"\n[settings.docker.remote]\nenabled = true\n'
    configure(this_system(root), Found("disk", text))
    assert console(root).startswith(
        "pinwheel: user data line 3: settings.docker.remote: enabled, but without client-ca"
    )
    assert "tcp" not in root.text(places.DAEMON_JSON)


def test_parameter_that_the_kernel_does_not_have_is_reported_with_its_line(root):
    text = b'[settings.kernel.sysctl]\n"vm.max_map_count" = "70000"\n"vm.bogus" = "1"\n'
    problems = configure(this_system(root), Found("disk", text))
    assert [(problem.code, problem.path, problem.line) for problem in problems] == [
        ("kernel-refused", 'settings.kernel.sysctl."vm.bogus"', 3)
    ]
    assert root.text(f"{places.SYSCTLS}/vm/max_map_count") == "70000"


def test_engine_is_asked_only_when_its_own_settings_are_given(root):
    refusing_engine(root, "no")
    configure(this_system(root), found(motd="x", docker={"remote": REMOTE}))
    assert not root.at("/asked").exists()
    configure(this_system(root), found(docker={"log-driver": "journald"}))
    assert root.text("/asked").startswith("--validate --config-file")
    assert engine_configuration(root)["log-driver"] == "journald"


def test_configuration_that_the_engine_refuses_falls_back_and_keeps_remote_access(root):
    refusing_engine(root, "unable to configure the Docker daemon")
    text = tomli_w.dumps({"settings": {"docker": {"log-driver": "local", "remote": REMOTE}}}).encode()
    (problem,) = configure(this_system(root), Found("credential", text))
    assert (problem.code, problem.path) == ("engine-refused", "settings.docker")
    assert "unable to configure the Docker daemon: daemon.json" in problem.message
    assert problem.line == text.decode().splitlines().index("[settings.docker]") + 1
    assert engine_configuration(root)["log-driver"] == "json-file"
    assert len(engine_configuration(root)["hosts"]) == 2
    assert not root.at(places.CANDIDATES + places.DAEMON_JSON).exists()


def test_engine_that_cannot_be_asked_means_defaults(root):
    (problem,) = configure(this_system(root), found(docker={"log-driver": "local"}))
    assert problem.code == "engine-refused"
    assert engine_configuration(root)["log-driver"] == "json-file"


def test_second_boot_without_remote_access_leaves_no_key_behind(root):
    configure(this_system(root), found(docker={"remote": REMOTE}))
    configure(this_system(root), found(docker={"remote": {"enabled": False}}))
    assert not root.at(places.TLS_KEY).exists()


def test_ready_node_says_so_once_everywhere(root, engine):
    put(root, places.STATUS_PORT, "")
    configure(this_system(root), found(motd="good morning", docker={"remote": REMOTE}))
    assert wait_until_ready(root, QUICK)
    document = last_document(root)
    assert document["ready"] is True
    assert document["secure_boot"] is True
    assert (document["version"], document["variant"], document["slot"]) == ("0.1.0", "docker", "a")
    assert document["root_hash"] == "ab" * 32
    assert document["docker"] == {"remote": {"port": 2376}}
    assert document["uptime_seconds"] == 12.34
    assert json.loads(root.text(places.STATUS_PORT)) == document
    lines = [line for line in console(root).splitlines() if line.startswith("pinwheel: ready ")]
    assert lines == [f"pinwheel: ready version=0.1.0 variant=docker slot=a root-hash={'ab' * 32} addresses="]
    assert "good morning" in console(root)


def test_node_waits_for_its_engine_and_says_what_it_waits_for(root, engine):
    engine.status = 503
    configure(this_system(root), Found("none", b""))

    def recover() -> None:
        time.sleep(0.4)
        engine.status = 200

    threading.Thread(target=recover).start()
    assert wait_until_ready(root, QUICK)
    reasons = [line for line in console(root).splitlines() if line.startswith("pinwheel: not ready")]
    assert reasons == ["pinwheel: not ready: the container engine does not answer on /run/docker.sock"]


def test_each_change_of_the_reasons_is_told(root, engine):
    program(root, places.SYSTEMCTL, f"cat {root.root}/failed")
    put(root, "/failed", '[{"unit": "a.service"}]')
    put(root, places.NETWORK_STATE, "OPER_STATE=no-carrier\n")
    configure(this_system(root), Found("none", b""))

    def recover() -> None:
        time.sleep(0.3)
        put(root, places.NETWORK_STATE, "OPER_STATE=routable\n")
        time.sleep(0.3)
        put(root, "/failed", "[]")

    threading.Thread(target=recover).start()
    assert wait_until_ready(root, QUICK)
    reasons = [line.partition("ready: ")[2] for line in console(root).splitlines() if "pinwheel: not ready" in line]
    assert reasons == [
        "the network is not up (its state is no-carrier); unit a.service has failed",
        "unit a.service has failed",
    ]


def test_boot_gives_up_waiting_and_leaves_a_status(root):
    configure(this_system(root), Found("none", b""))
    assert not wait_until_ready(root, QUICK._replace(give_up_after=0.3))
    assert last_document(root)["ready"] is False
    assert "not ready" in console(root)


def test_status_is_silent_while_boot_reports(root):
    with reporting(root):
        assert look_once(root) == 0
    assert not root.at(places.STATUS).exists()


def test_status_after_boot_speaks_when_something_changed(root, engine):
    with reporting(root):
        configure(this_system(root), Found("none", b""))
        wait_until_ready(root, QUICK)
    before = console(root)
    look_once(root)
    assert console(root) == before
    put(root, places.NETWORK_STATE, "OPER_STATE=no-carrier\n")
    look_once(root)
    assert console(root).endswith("pinwheel: not ready: the network is not up (its state is no-carrier)\n")
    assert last_document(root)["reasons"] == ["the network is not up (its state is no-carrier)"]


def test_lock_is_held_for_as_long_as_boot_reports(root):
    with reporting(root), root.at(places.BOOT_LOCK).open("rb") as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)


def test_entry_points_are_where_the_launcher_looks():
    assert callable(boot.main)
    assert callable(status.main)


def test_status_costs_no_settings_and_boot_nothing_that_it_needs_late():
    """Start each entry point's module in a Python of its own, as the launcher does."""
    import subprocess
    import sys

    def modules(name: str) -> set[str]:
        script = f"import {name}, sys; print(' '.join(sys.modules))"
        return set(
            subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout.split()
        )

    assert "msgspec" not in modules("pinwheel.node.status")
    late = {
        "importlib.metadata",
        "email",
        "ssl",
        "http.client",
        "subprocess",
        "configparser",
        "ctypes",
        "asyncio",
        "difflib",
    }
    assert not late & modules("pinwheel.node.boot")
