# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The user's settings, with the remote API's added."""

import base64
import tomllib

import pytest

from pinwheel.errors import UsageFault
from pinwheel.machine.certificates import DockerCertificates
from pinwheel.machine.user_data import check_syntax, compose, names_remote_api, smbios_string
from pinwheel.settings.user_data import parse_user_data

CERTIFICATES = DockerCertificates(b"ca", b"server", b"server key", b"client", b"client key")


def remote(text: str) -> dict[str, object]:
    found = tomllib.loads(compose(text, CERTIFICATES))["settings"]["docker"]["remote"]
    assert isinstance(found, dict)
    return found


def test_remote_api_is_set_without_any_user_data():
    assert remote("") == {
        "enabled": True,
        "port": 2376,
        "client-ca": base64.b64encode(b"ca").decode(),
        "server-certificate": base64.b64encode(b"server").decode(),
        "server-key": base64.b64encode(b"server key").decode(),
    }


def test_client_key_never_reaches_the_node():
    assert base64.b64encode(b"client key").decode() not in compose("", CERTIFICATES)


@pytest.mark.parametrize("end", ["", "\n"])
def test_user_text_stays_as_it_is_so_that_line_numbers_hold(end):
    text = '# mine\n[settings]\nmotd = "hello"\n[settings.docker]\nlog-driver = "local"' + end
    combined = compose(text, CERTIFICATES)
    assert combined.startswith(text)
    assert tomllib.loads(combined)["settings"]["docker"]["log-driver"] == "local"
    assert remote(text)["enabled"] is True


@pytest.mark.parametrize(
    "text",
    [
        "[settings.docker.remote]\nport = 1\n",
        'settings = {motd = "x", docker = {log-driver = "local"}}\n',
        "[settings.docker]\nremote = {enabled = false}\n",
        "settings = 1\n",
        "[settings]\ndocker = []\n",
    ],
)
def test_table_that_cannot_be_added_at_the_end_is_merged(text):
    assert remote(text)["port"] == 2376


def test_merging_keeps_the_other_settings():
    text = 'settings = {motd = "x", docker = {log-driver = "local"}}\n'
    merged = tomllib.loads(compose(text, CERTIFICATES))["settings"]
    assert merged["motd"] == "x"
    assert merged["docker"]["log-driver"] == "local"


def test_node_accepts_what_is_composed():
    from pinwheel.machine.certificates import make_certificates

    _, problems = parse_user_data(compose('[settings]\nmotd = "x"\n', make_certificates("web")))
    assert problems == []


def test_text_that_is_no_toml_is_refused_with_its_place():
    with pytest.raises(UsageFault, match=r"mine\.toml.*line 2"):
        check_syntax("a = 1\nb =\n", "mine.toml")


def test_users_own_remote_api_is_noticed():
    assert names_remote_api({"settings": {"docker": {"remote": {}}}})
    assert not names_remote_api({"settings": {"docker": {}}})
    assert not names_remote_api({"settings": 1})


def test_credential_survives_its_encoding():
    name, _, value = smbios_string("motd = 'ü'").partition("=")
    assert name == "io.systemd.credential.binary:pinwheel.user-data"
    assert base64.b64decode(value).decode() == "motd = 'ü'"
