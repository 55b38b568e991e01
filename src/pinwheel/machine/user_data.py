# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What a machine gets to know at boot: the user's settings, with the Docker API's certificates added."""

import base64
import tomllib
from typing import Any

import tomli_w

from pinwheel.errors import UsageFault
from pinwheel.machine.certificates import DockerCertificates
from pinwheel.machine.record import DOCKER_GUEST_PORT

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


def names_remote_api(document: dict[str, Any]) -> bool:
    """Tell whether the user's own settings speak of the remote API, which `run` sets itself."""
    settings = document.get("settings")
    docker = settings.get("docker") if isinstance(settings, dict) else None
    return isinstance(docker, dict) and "remote" in docker


def compose(text: str, certificates: DockerCertificates) -> str:
    """Add the remote API's settings to the user's.

    They are put behind the user's own text, so that line numbers in the node's messages are those of the user's file.
    Only where TOML does not let a table be added at the end (the user has it already, or wrote a parent inline) is the
    document written anew.
    """
    remote = _remote_settings(certificates)
    addition = tomli_w.dumps({"settings": {"docker": {"remote": remote}}})
    separator = "" if not text or text.endswith("\n") else "\n"
    combined = f"{text}{separator}\n{addition}" if text else addition
    try:
        tomllib.loads(combined)
    except tomllib.TOMLDecodeError:
        return tomli_w.dumps(_merged(tomllib.loads(text), remote))
    return combined


def smbios_string(user_data: str) -> str:
    """Give the SMBIOS type 11 string that hands the user data to systemd."""
    return f"{CREDENTIAL}={base64.b64encode(user_data.encode()).decode()}"


def _remote_settings(certificates: DockerCertificates) -> dict[str, Any]:
    return {
        "enabled": True,
        "port": DOCKER_GUEST_PORT,
        "client-ca": base64.b64encode(certificates.ca).decode(),
        "server-certificate": base64.b64encode(certificates.server_certificate).decode(),
        "server-key": base64.b64encode(certificates.server_key).decode(),
    }


def _merged(document: dict[str, Any], remote: dict[str, Any]) -> dict[str, Any]:
    # What is not a table where one belongs cannot be kept: the node would have refused it as well.
    settings = document.get("settings")
    settings = settings if isinstance(settings, dict) else {}
    docker = settings.get("docker")
    docker = docker if isinstance(docker, dict) else {}
    return {**document, "settings": {**settings, "docker": {**docker, "remote": remote}}}
