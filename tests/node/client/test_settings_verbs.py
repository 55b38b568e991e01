# SPDX-License-Identifier: Apache-2.0 OR MIT
"""get, set, unset, apply, diff, try and the history, against the real service and actuator."""

import http.server
import io
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.node.actuator.conftest import Actuator
from tests.node.client.conftest import Cli, call
from tests.support.api_service import Service

from pinwheel.api.client.transport import UnixTransport


def motd(cli: Cli) -> str:
    return str(json.loads(cli("get", "motd").out)["settings"]["motd"])


# ---- Bottlerocket's command lines ----


def test_get_without_prefix_shows_the_whole_model(cli: Cli) -> None:
    shown = json.loads(cli("get").out)
    assert {"settings", "services", "configuration-files", "os"} <= set(shown)


@pytest.mark.parametrize("prefix", ["settings.motd", "motd"])
def test_get_shows_a_setting_in_its_tables(cli: Cli, prefix: str) -> None:
    assert json.loads(cli("get", prefix).out) == {"settings": {"motd": "Welcome to Pinwheel!"}}


def test_get_merges_several_prefixes(cli: Cli) -> None:
    shown = json.loads(cli("get", "motd", "settings.ntp", "os").out)
    assert set(shown) == {"settings", "os"}
    assert set(shown["settings"]) == {"motd", "ntp"}


def test_get_of_a_uri_shows_what_it_answers(cli: Cli) -> None:
    assert json.loads(cli("get", "/settings?keys=settings.motd").out) == {"motd": "Welcome to Pinwheel!"}
    assert "pinwheel_load1" in cli("get", "/metrics").out


def test_set_with_pairs_changes_and_applies(cli: Cli, actuator: Actuator) -> None:
    done = cli("set", "motd=hello", 'settings.kernel.sysctl."vm.max_map_count"=65531')
    assert (done.code, done.out) == (0, "")
    assert "+ settings.motd" in done.err
    assert motd(cli) == "hello"
    assert actuator.paths.text("/run/pinwheel/motd") == "hello"


@pytest.mark.parametrize("option", ["-j", "--json"])
def test_set_with_json(cli: Cli, option: str) -> None:
    assert cli("set", option, '{"motd": "from JSON"}').code == 0
    assert motd(cli) == "from JSON"
    assert cli("set", option, '{"settings": {"motd": "with outer table"}}').code == 0
    assert motd(cli) == "with outer table"


def test_raw_works_without_its_name_and_in_two_steps(cli: Cli) -> None:
    assert cli("-u", "/settings", "-m", "PATCH", "-d", '{"motd": "raw"}').code == 0
    assert json.loads(cli("raw", "-u", "/tx").out) == {"motd": "raw"}
    assert json.loads(cli("-m", "POST", "--uri", "/tx/commit_and_apply").out) == ["settings.motd"]
    assert motd(cli) == "raw"


def test_the_socket_can_stand_before_the_verb_and_behind_it(
    service: Service, capfd: pytest.CaptureFixture[str]
) -> None:
    nowhere = UnixTransport("/nowhere")
    path = str(service.path)
    assert call(capfd, nowhere, "-s", path, "get", "motd").code == 0
    assert call(capfd, nowhere, "get", "motd", "--socket-path", path).code == 0
    assert call(capfd, nowhere, "-s", path, "-u", "/tx/list").out == "[]\n"
    assert call(capfd, nowhere, "get").code == 1


def test_verbose_shows_requests_and_statuses(cli: Cli) -> None:
    assert cli("-v", "get", "motd").err == "GET /?prefix=settings.motd: 200\n"
    assert cli("get", "motd", "--log-level", "DEBUG").err == "GET /?prefix=settings.motd: 200\n"
    assert cli("--log-level", "info", "get", "motd").err == ""


# ---- errors ----


def test_all_problems_are_shown_with_their_places_and_hints(cli: Cli) -> None:
    document = {"ntp": {"time-servers": ["ok.example", "a b"]}, "kernel": {"lockdwn": "none"}, "motd": 5}
    done = cli("set", "-j", json.dumps(document))
    assert (done.code, done.out) == (2, "")
    for place in ("settings.ntp.time-servers[1]: ", "settings.kernel.lockdwn: ", "settings.motd: "):
        assert f"\n  {place}" in done.err
    assert "did you mean" in done.err
    assert motd(cli) == "Welcome to Pinwheel!"


def test_problems_of_a_file_have_its_lines(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text('[settings]\nmotd = "x"\n\n[settings.ntp]\ntime-servers = ["a b"]\n')
    done = cli("apply", str(file))
    assert done.code == 2
    assert "settings.ntp.time-servers[0] (line 5): " in done.err


@pytest.mark.parametrize(
    "words",
    [
        ("set",),
        ("set", "motd=x", "-j", "{}"),
        ("set", "motd"),
        ("set", "-j", "{"),
        ("set", "-j", "[]"),
        ("unset",),
        ("unset", "settings.nope.nope"),
        ("get", "/a", "/b"),
        ("get", "/nowhere"),
        ("diff", "1", "2", "3"),
        ("diff", "--tx", "a", "1"),
        ("rollback", "0"),
        ("generations", "show", "99"),
        ("apply", "gopher://x"),
        ("apply", "/not/there"),
        ("try", "nope"),
        ("nope",),
        ("raw",),
        ("exec", "admin"),
        ("update", "check"),
        ("report", "cis"),
        ("ephemeral-storage", "init", "-t", "xfs", "--disks", "/dev/a", "/dev/b"),
        ("network", "configure", "base64:eA=="),
    ],
    ids=" ".join,
)
def test_what_is_wrong_or_not_there_yet_is_wrong_usage(cli: Cli, words: tuple[str, ...]) -> None:
    done = cli(*words)
    assert (done.code, done.out) == (2, "")
    assert done.err.strip()


def test_what_comes_with_a_later_version_says_so(cli: Cli) -> None:
    assert "not in this version" in cli("update", "apply").err


# ---- beyond Bottlerocket ----


def test_unset_gives_the_default_again(cli: Cli) -> None:
    cli("set", "motd=hello")
    assert "- settings.motd" in cli("unset", "motd").err
    assert motd(cli) == "Welcome to Pinwheel!"


def test_get_set_shows_only_what_is_set(cli: Cli) -> None:
    assert json.loads(cli("get", "--set").out) == {"settings": {}}
    cli("set", "motd=hello")
    assert json.loads(cli("get", "--set").out) == {"settings": {"motd": "hello"}}


def test_a_dry_run_says_what_would_happen_and_changes_nothing(cli: Cli) -> None:
    done = cli("set", "motd=hello", "--dry-run")
    assert done.code == 0
    assert done.err.splitlines()[0] == '+ settings.motd = "hello"'
    assert done.err.splitlines()[-1] == "Checked only: nothing has been changed."
    assert motd(cli) == "Welcome to Pinwheel!"


def test_a_change_that_changes_nothing_says_so(cli: Cli) -> None:
    cli("set", "motd=hello")
    assert cli("set", "motd=hello").err == "Nothing to change: generation 1 has it all.\n"


def test_apply_reads_a_file_in_toml_or_json(cli: Cli, tmp_path: Path) -> None:
    toml, json_file = tmp_path / "a.toml", tmp_path / "b.json"
    toml.write_text('[settings]\nmotd = "TOML"\n')
    json_file.write_text('{"settings": {"motd": "JSON"}}')
    assert json.loads(cli("apply", str(toml), "--json", "--reason", "for a test").out)["generation"] == 1
    assert motd(cli) == "TOML"
    assert cli("apply", f"file://{json_file}").code == 0
    assert motd(cli) == "JSON"
    assert "for a test" in cli("generations").out


@pytest.mark.parametrize("words", [(), ("-",)], ids=["nothing", "-"])
def test_apply_reads_standard_input(cli: Cli, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'[settings]\nmotd = "piped"\n')))
    assert cli("apply", *words).code == 0
    assert motd(cli) == "piped"


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """A web server with documents."""
    (tmp_path / "a.toml").write_text('[settings]\nmotd = "fetched"\n[settings.ntp]\ntime-servers = ["a.example"]\n')
    (tmp_path / "b.json").write_text('{"settings": {"motd": "later"}}')

    class Files(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object, **named: object) -> None:
            super().__init__(*arguments, directory=str(tmp_path), **named)  # type: ignore[arg-type]

        def log_message(self, *_arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_apply_fetches_documents_and_merges_them_into_one_generation(cli: Cli, web: str) -> None:
    done = cli("apply", f"{web}/a.toml", f"{web}/b.json", "--json")
    assert json.loads(done.out)["generation"] == 1
    assert json.loads(cli("get", "--set").out)["settings"] == {"motd": "later", "ntp": {"time-servers": ["a.example"]}}


def test_when_one_document_cannot_be_fetched_nothing_is_changed(cli: Cli, web: str) -> None:
    done = cli("apply", f"{web}/a.toml", f"{web}/missing.toml")
    assert done.code == 2
    assert "cannot fetch" in done.err
    assert json.loads(cli("get", "--set").out) == {"settings": {}}


def test_apply_with_replace_unsets_the_rest(cli: Cli, tmp_path: Path) -> None:
    cli("set", "motd=hello")
    file = tmp_path / "a.toml"
    file.write_text('[settings.ntp]\ntime-servers = ["a.example"]\n')
    assert cli("apply", "--replace", str(file)).code == 0
    assert set(json.loads(cli("get", "--set").out)["settings"]) == {"ntp"}


def test_diff_shows_what_a_document_a_transaction_or_generations_differ_in(cli: Cli, tmp_path: Path) -> None:
    cli("set", "motd=one")
    cli("set", "motd=two")
    file = tmp_path / "a.toml"
    file.write_text('motd = "three"\n')
    assert cli("diff", "1", "2").out == '~ settings.motd = "one" -> "two"\n'
    assert cli("diff", "1").out == '~ settings.motd = "one" -> "two"\n'
    assert cli("diff", "2").out == "no difference\n"
    assert cli("diff", str(file)).out == '~ settings.motd = "two" -> "three"\n'
    cli("raw", "-u", "/settings?tx=mine", "-m", "PATCH", "-d", '{"motd": "four"}')
    assert cli("diff", "--tx", "mine").out == '~ settings.motd = "two" -> "four"\n'
    assert json.loads(cli("diff", "1", "2", "--json").out) == [{"path": "settings.motd", "old": "one", "new": "two"}]


def test_history_lists_shows_compares_and_goes_back(cli: Cli) -> None:
    cli("set", "motd=one")
    cli("set", "motd=two", "--reason", "because")
    lines = cli("generations", "list").out.splitlines()
    assert lines[0].split() == ["NUMBER", "CREATED", "BY", "WHY", "CHANGED"]
    assert lines[1].startswith("2 ")
    assert lines[1].endswith("because  motd")
    assert [
        one["number"] for one in json.loads(cli("generations", "list", "--json", "-n", "1").out)["generations"]
    ] == [2]
    assert '"motd": "two"' in cli("generations", "show", "2").out
    assert cli("generations", "diff", "2").out == '~ settings.motd = "one" -> "two"\n'
    assert cli("rollback", "1").code == 0
    assert motd(cli) == "one"
    assert cli("rollback").code == 0
    assert motd(cli) == "two"


def test_the_first_generation_has_nothing_to_go_back_to(cli: Cli) -> None:
    cli("set", "motd=one")
    assert cli("rollback").code == 2


def test_a_trial_is_confirmed_or_taken_back(cli: Cli) -> None:
    done = cli("try", "set", "motd=perhaps", "--for", "300")
    assert done.code == 0
    assert "keep it with `try confirm`" in done.err
    assert motd(cli) == "perhaps"
    assert cli("try", "revert").code == 0
    assert motd(cli) == "Welcome to Pinwheel!"
    cli("set", "motd=sure", "--try", "300")
    assert cli("try", "confirm").code == 0
    assert motd(cli) == "sure"
    assert cli("try", "confirm").code == 3


def test_the_schema_is_json_schema(cli: Cli) -> None:
    assert "motd" in json.loads(cli("schema").out)["properties"]
