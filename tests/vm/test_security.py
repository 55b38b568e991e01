# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What stays closed even to those who hold the Docker API: kernel, root, launcher; and to those who do not: the API."""

import http.client
import io
import lzma
import re
import shlex
import ssl
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests.support.lab import Docker
from tests.support.launcher_attacks import ATTACKS, HOME, MARKER, PLACE, Attack, file_content
from tests.support.shell import ContainerShell

from pinwheel.image.forbidden import rule_for_name
from pinwheel.image.toolbox import Toolbox
from pinwheel.machine.certificates import make_certificates
from pinwheel.machine.machine import CERTIFICATES, Machine
from pinwheel.machine.record import API_GUEST_PORT

pytestmark = pytest.mark.vm

MODULE = "dummy"
SIGNATURE_MAGIC = b"~Module signature appended~\n"
WRITABLE_PLACES = ("/tmp", "/run", "/var", "/dev/shm")
"""Where anybody could put a file on a node; everything else is the verified root, or the kernel's."""
USAGE_EXIT_CODE = 64


class Operator:
    """A container with every privilege that an engine can give, and the node's root at /host."""

    name = "operator"

    def __init__(self, docker: Docker) -> None:
        self._docker = docker
        self.shell = ContainerShell(docker, self.name)

    def run(self, script: str) -> tuple[int, str]:
        """Run a shell script, and give its exit code and all that it printed."""
        return self.shell.run(script)

    def read(self, path: str) -> bytes:
        return self._docker.transfer("exec", self.name, "cat", path)

    def unpack(self, archive: bytes) -> None:
        """Unpack a tar archive at the container's root."""
        self._docker.transfer(
            "exec", "--interactive", self.name, "busybox", "tar", "-x", "-f", "-", "-C", "/", content=archive
        )


@pytest.fixture(scope="module")
def operator(docker: Docker, busybox: str) -> Iterator[Operator]:
    everything = ("--privileged", "--pid", "host", "--network", "host", "--volume", "/:/host")
    docker("run", "--detach", "--name", Operator.name, *everything, busybox, "sleep", "3600")
    operator = Operator(docker)
    yield operator
    operator.shell.close()
    docker("rm", "--force", Operator.name)


def archive(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name.strip("/"))
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


# ---- the API ----


def ping(machine: Machine, context: ssl.SSLContext) -> bytes:
    connection = http.client.HTTPSConnection("127.0.0.1", machine.record.docker_port, timeout=30, context=context)
    connection.request("GET", "/_ping")
    return connection.getresponse().read()


@pytest.fixture
def context(node: Machine) -> ssl.SSLContext:
    """What a client knows that has no certificate of its own: the machine's CA."""
    return ssl.create_default_context(cafile=node.directory / CERTIFICATES / "ca.pem")


def test_api_answers_to_the_client_certificate_of_its_machine(node: Machine, context: ssl.SSLContext) -> None:
    own = node.directory / CERTIFICATES
    context.load_cert_chain(own / "cert.pem", own / "key.pem")
    assert ping(node, context) == b"OK"


def test_api_refuses_a_client_without_a_certificate(node: Machine, context: ssl.SSLContext) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        ping(node, context)


def test_api_refuses_a_client_of_another_machine(node: Machine, context: ssl.SSLContext, tmp_path: Path) -> None:
    make_certificates("other").write(tmp_path / "other")
    context.load_cert_chain(tmp_path / "other/cert.pem", tmp_path / "other/key.pem")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        ping(node, context)


def test_api_does_not_speak_without_tls(node: Machine) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", node.record.docker_port, timeout=30)
    connection.request("GET", "/_ping")
    assert connection.getresponse().status == http.client.BAD_REQUEST


def test_both_remote_apis_are_all_that_listens(operator: Operator) -> None:
    _, shown = operator.run("netstat -l -n -t | tail -n +3")
    listening = {line.split()[3] for line in shown.splitlines()}
    assert {place for place in listening if not place.startswith("127.0.0.")} == {":::2376", f":::{API_GUEST_PORT}"}


# ---- the kernel ----


def test_kernel_is_locked_down(operator: Operator) -> None:
    assert b"[integrity]" in operator.read("/host/sys/kernel/security/lockdown")
    assert b"module.sig_enforce=1" in operator.read("/proc/cmdline")
    code, said = operator.run("dd if=/host/dev/mem of=/dev/null bs=1 count=1")
    assert code != 0, said


def test_kernel_takes_its_own_modules_only(operator: Operator) -> None:
    _, release = operator.run("uname -r")
    packed = operator.read(f"/host/usr/lib/modules/{release.strip()}/kernel/drivers/net/{MODULE}.ko.xz")
    signed = lzma.decompress(packed)
    changed = signed.replace(b"license=GPL", b"license=GPl", 1)
    assert changed != signed
    modules = {"signed": signed, "unsigned": without_signature(signed), "changed": changed}
    operator.unpack(archive({f"/modules/{name}.ko": content for name, content in modules.items()}))
    for name in ("unsigned", "changed"):
        code, said = operator.run(f"busybox insmod /modules/{name}.ko numdummies=0")
        assert code != 0, name
        assert re.search("(?i)key was rejected|required key|operation not permitted|permission denied", said), said
    assert operator.run("busybox insmod /modules/signed.ko numdummies=0") == (0, "")
    assert operator.run(f"busybox rmmod {MODULE}") == (0, "")


def without_signature(module: bytes) -> bytes:
    """Cut off what kernel/module/signing.c looks for: the signature, 12 bytes that end in its length, the magic."""
    assert module.endswith(SIGNATURE_MAGIC)
    end = len(module) - len(SIGNATURE_MAGIC)
    return module[: end - 12 - int.from_bytes(module[end - 4 : end], "big")]


# ---- the root ----


def test_root_cannot_be_written(operator: Operator) -> None:
    operator.run("busybox mount -o remount,rw /host")
    for directory in ("", "/etc", "/usr", "/usr/bin", "/usr/lib/pinwheel"):
        code, said = operator.run(f"touch /host{directory}/planted")
        assert (code, "Read-only file system" in said) == (1, True), directory
    code, said = operator.run("dd if=/dev/zero of=/host/dev/dm-0 bs=4096 count=1")
    assert code != 0, said


def test_running_root_holds_no_shell_no_interpreter_and_no_setuid_file(operator: Operator) -> None:
    code, shown = operator.run("busybox find /host -xdev -type f -perm /111 && echo setuid: && "
                               "busybox find /host -xdev -perm /6000")  # fmt: skip
    assert code == 0, shown
    programs, _, setuid = shown.partition("setuid:\n")
    names = {Path(line).name for line in programs.splitlines()}
    assert "dockerd" in names
    assert {name: rule for name in names if (rule := rule_for_name(name))} == {}
    assert setuid == ""


# ---- the launcher ----


@pytest.mark.parametrize("place", WRITABLE_PLACES)
def test_launcher_runs_nothing_that_lies_in_a_writable_place(operator: Operator, toolbox: Toolbox, place: str) -> None:
    attacks = [moved(attack, f"{place}/attack") for attack in merged(possible_attacks())]
    operator.run("rm -rf /attacks")
    operator.unpack(archive(scripts(attacks, f"{place}/attack", toolbox)))
    for number, attack in enumerate(attacks):
        code, said = operator.run(f"sh /attacks/{number}/run")
        assert said.splitlines()[-1] == "nothing of it ran", attack.name
        assert code == 0, said


def test_launcher_refuses_everything_but_the_name_of_an_entry_point(operator: Operator, toolbox: Toolbox) -> None:
    attacks = [attack for attack in ATTACKS if attack.refused]
    operator.run("rm -rf /attacks")
    operator.unpack(archive(scripts(attacks, PLACE, toolbox)))
    code, said = operator.run("for attack in /attacks/*; do sh $attack/run > /dev/null 2>&1; echo $?; done")
    assert (code, said.split()) == (0, [str(USAGE_EXIT_CODE)] * len(attacks))


def test_arguments_of_a_command_are_nothing_but_data(operator: Operator, toolbox: Toolbox) -> None:
    attacks = [attack for attack in ATTACKS if attack.on_command]
    operator.run("rm -rf /attacks")
    operator.unpack(archive(scripts(attacks, PLACE, toolbox)))
    code, said = operator.run("for attack in /attacks/*; do sh $attack/run 2> /dev/null | tail -n 1; done")
    assert (code, said.splitlines()) == (0, ["nothing of it ran"] * len(attacks))


def possible_attacks() -> list[Attack]:
    """Those that somebody on a node could try: with files where files can be written, and a home there."""
    return [one for one in ATTACKS if not (one.refused or one.on_command or one.on_read_only_root)]


def moved(attack: Attack, place: str) -> Attack:
    def move(text: str) -> str:
        return text.replace(PLACE, place).replace(HOME, f"{place}/home")

    return Attack(
        name=f"{attack.name} in {place}",
        arguments=attack.arguments,
        program=move(attack.program),
        environment={name: move(value) for name, value in attack.environment.items()},
        files={move(path): move(content) for path, content in attack.files.items()},
        stdin=move(attack.stdin),
    )


def merged(attacks: list[Attack]) -> list[Attack]:
    """Make attacks that do not contradict each other one: each start of Python costs seconds under emulation."""
    groups: list[Attack] = []
    for attack in attacks:
        for index, group in enumerate(groups):
            calls_alike = (group.program, group.arguments) == (attack.program, attack.arguments)
            if calls_alike and agree(group.files, attack.files) and agree(group.environment, attack.environment):
                groups[index] = Attack(
                    name=f"{group.name}, {attack.name}",
                    arguments=group.arguments,
                    program=group.program,
                    environment={**group.environment, **attack.environment},
                    files={**group.files, **attack.files},
                    stdin=group.stdin or attack.stdin,
                )
                break
        else:
            groups.append(attack)
    return groups


def agree(first: Mapping[str, str], second: Mapping[str, str]) -> bool:
    return all(first[key] == second[key] for key in first.keys() & second.keys())


def scripts(attacks: list[Attack], place: str, toolbox: Toolbox) -> dict[str, bytes]:
    """Give the files that an operator needs: below /attacks/NUMBER those of each attack, and a script that tries it."""
    files: dict[str, bytes] = {}
    for number, attack in enumerate(attacks):
        base = f"/attacks/{number}"
        files |= {f"{base}/files{path}": file_content(path, text, toolbox) for path, text in attack.files.items()}
        files[f"{base}/stdin"] = attack.stdin.encode()
        files[f"{base}/run"] = script(attack, base, place).encode(errors="surrogateescape")
    return files


def script(attack: Attack, base: str, place: str) -> str:
    # In the node's own mount namespace, so that the launcher sees the node as its services do.
    given = {"HOME": f"{place}/home", "PATH": "/usr/bin", **attack.environment}
    words = ["env", "-i", *(f"{name}={value}" for name, value in given.items())]
    words += ["/bin/busybox", "nsenter", "-t", "1", "-m", f"-w/proc/1/root{place}"]
    words += [attack.program, *attack.arguments]
    return f"""
rm -rf /host{place} /host{MARKER}
mkdir -p /host{place}/links {base}/files
for name in apiclient status python3 python3.13; do ln -s /usr/lib/pinwheel/launch /host{place}/links/$name; done
cp -r {base}/files/. /host/ || exit 1
{shlex.join(words)} < {base}/stdin
code=$?
rm -rf /host{place}
if [ -e /host{MARKER} ]; then echo it ran; else echo nothing of it ran; fi
exit $code
"""
