# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The user's settings, with the remote API's added."""

import base64
import tomllib

import pytest

from pinwheel.errors import UsageFault
from pinwheel.machine.certificates import ApiCertificates, DockerCertificates
from pinwheel.machine.user_data import check_syntax, remarks, smbios_string
from pinwheel.machine.user_data import compose as compose_with
from pinwheel.settings.user_data import parse_user_data

CERTIFICATES = DockerCertificates(b"ca", b"server", b"server key", b"client", b"client key")
API = ApiCertificates(b"api ca", b"api client", b"api key")


def compose(text: str, docker: DockerCertificates = CERTIFICATES, api: ApiCertificates = API) -> str:
    return compose_with(text, docker, api)


def remote(text: str) -> dict[str, object]:
    found = tomllib.loads(compose(text))["settings"]["docker"]["remote"]
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
    for key in (b"client key", b"api key"):
        assert base64.b64encode(key).decode() not in compose("")


@pytest.mark.parametrize("end", ["", "\n"])
def test_user_text_stays_as_it_is_so_that_line_numbers_hold(end):
    text = '# mine\n[settings]\nmotd = "hello"\n[settings.docker]\nlog-driver = "local"' + end
    combined = compose(text)
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
    merged = tomllib.loads(compose(text))["settings"]
    assert merged["motd"] == "x"
    assert merged["docker"]["log-driver"] == "local"


def test_node_accepts_what_is_composed():
    from pinwheel.machine.certificates import make_api_certificates, make_certificates

    docker, api = make_certificates("web"), make_api_certificates("web")
    own = base64.b64encode(make_api_certificates("other").ca).decode()
    for text in ('[settings]\nmotd = "x"\n', f'[settings.api.remote]\nenabled = true\nclient-ca = "{own}"\n'):
        settings, problems = parse_user_data(compose(text, docker, api))
        assert problems == []
        assert settings.api.remote.enabled


def test_text_that_is_no_toml_is_refused_with_its_place():
    with pytest.raises(UsageFault, match=r"mine\.toml.*line 2"):
        check_syntax("a = 1\nb =\n", "mine.toml")


def test_users_own_remote_api_is_noticed():
    assert "settings.docker.remote" in remarks({"settings": {"docker": {"remote": {}}}})[0]
    assert "settings.api.remote.port" in remarks({"settings": {"api": {"remote": {"enabled": True, "port": 1}}}})[0]
    assert remarks({"settings": {"docker": {}, "api": {"remote": {"enabled": False, "port": 1}}}}) == []
    assert remarks({"settings": 1}) == []


def settings_api(text: str) -> dict[str, object]:
    found = tomllib.loads(compose(text))["settings"].get("api", {}).get("remote", {})
    assert isinstance(found, dict)
    return found


def authorities(text: str) -> bytes:
    return base64.b64decode(str(settings_api(text)["client-ca"]))


def test_settings_api_lets_this_workstation_in():
    assert settings_api('[settings]\nmotd = "x"\n') == {
        "enabled": True,
        "port": 8443,
        "client-ca": base64.b64encode(b"api ca").decode(),
    }


def test_settings_api_lets_in_whom_the_user_lets_in_as_well():
    own = base64.b64encode(b"users ca").decode()
    text = f'[settings.api.remote]\nenabled = true\nport = 9\nclient-ca = "{own}"\n[settings.ntp]\noptions = ["x"]\n'
    assert authorities(text) == b"users ca\napi ca"
    assert settings_api(text)["port"] == 8443
    assert tomllib.loads(compose(text))["settings"]["ntp"] == {"options": ["x"]}


@pytest.mark.parametrize("given", ["enabled = false", 'client-ca = "?"'])
def test_settings_api_that_is_switched_off_or_wrong_stays_so(given):
    name, value = next(iter(tomllib.loads(given).items()))
    assert settings_api(f"[settings.api.remote]\n{given}\n") == {name: value}


def test_credential_survives_its_encoding():
    name, _, value = smbios_string("motd = 'ü'").partition("=")
    assert name == "io.systemd.credential.binary:pinwheel.user-data"
    assert base64.b64decode(value).decode() == "motd = 'ü'"
