# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What a machine gets to know at boot: the user's settings, with what lets this workstation in added."""

import base64
import tomllib
from typing import Any

import tomli_w

from pinwheel.errors import UsageFault
from pinwheel.machine.certificates import ApiCertificates, DockerCertificates
from pinwheel.machine.record import API_GUEST_PORT, DOCKER_GUEST_PORT

CREDENTIAL = "io.systemd.credential.binary:pinwheel.user-data"
"""The SMBIOS string that systemd turns into the credential `pinwheel.user-data` (systemd.io/CREDENTIALS)."""


def check_syntax(text: str, source: str) -> dict[str, Any]:
    """Parse user data.

    Raises:
        UsageFault: it is no TOML; the message says where.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageFault(f"{source} is not valid TOML: {error}", "mend the line, then run the command again") from None


def remarks(document: dict[str, Any]) -> list[str]:
    """Say what of the user's own settings `run` does not leave as it is."""
    said = []
    if "remote" in _table(document, "settings", "docker"):
        said.append("settings.docker.remote is replaced: run makes certificates for each machine itself")
    remote = _table(document, "settings", "api", "remote")
    if remote.get("enabled") is True and remote.get("port", API_GUEST_PORT) != API_GUEST_PORT:
        said.append(f"settings.api.remote.port is {API_GUEST_PORT} in a machine: run publishes that one")
    return said


def compose(text: str, docker: DockerCertificates, api: ApiCertificates) -> str:
    """Add the settings of both remote APIs to the user's.

    They are put behind the user's own text, so that line numbers in the node's messages are those of the user's file.
    Only where TOML does not let a table be added at the end (the user has it already, or wrote a parent inline) is the
    document written anew.
    """
    document = tomllib.loads(text)
    added: dict[str, Any] = {"docker": {"remote": _docker_settings(docker)}}
    if remote := _api_settings(_table(document, "settings", "api", "remote"), api):
        added["api"] = {"remote": remote}
    addition = tomli_w.dumps({"settings": added})
    separator = "" if not text or text.endswith("\n") else "\n"
    combined = f"{text}{separator}\n{addition}" if text else addition
    try:
        tomllib.loads(combined)
    except tomllib.TOMLDecodeError:
        return tomli_w.dumps(_with(document, "settings", added))
    return combined


def smbios_string(user_data: str) -> str:
    """Give the SMBIOS type 11 string that hands the user data to systemd."""
    return f"{CREDENTIAL}={base64.b64encode(user_data.encode()).decode()}"


def _docker_settings(certificates: DockerCertificates) -> dict[str, Any]:
    return {
        "enabled": True,
        "port": DOCKER_GUEST_PORT,
        "client-ca": _base64(certificates.ca),
        "server-certificate": _base64(certificates.server_certificate),
        "server-key": _base64(certificates.server_key),
    }


def _api_settings(given: dict[str, Any], certificates: ApiCertificates) -> dict[str, Any]:
    """Let this workstation in besides whom the user lets in; nobody where the user says so."""
    if given.get("enabled") is False:
        return {}
    own = given.get("client-ca")
    try:
        others = base64.b64decode(own, validate=True) if isinstance(own, str) else b""
    except ValueError:
        return {}  # the node says what is wrong with it
    separator = b"" if not others or others.endswith(b"\n") else b"\n"
    authorities = _base64(others + separator + certificates.ca)
    return {**given, "enabled": True, "port": API_GUEST_PORT, "client-ca": authorities}


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _table(document: dict[str, Any], *path: str) -> dict[str, Any]:
    """Give a table of a document; an empty one for what is not there, or is none."""
    found: Any = document
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _with(document: dict[str, Any], name: str, added: dict[str, Any]) -> dict[str, Any]:
    # What is not a table where one belongs cannot be kept: the node would have refused it as well.
    table = _table(document, name)
    for key, value in added.items():
        table = {**table, key: value} if key == "remote" else _with(table, key, value)
    return {**document, name: table}
