# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Settings through the whole way: HTTP, the service, the actuator, generations, and back."""

import os

import pytest
from jsonschema_rs import Draft202012Validator
from tests.node.actuator.conftest import Actuator
from tests.support.api_service import Service

PROXY = "http://user:hunter2@proxy.example.com:3128"
TOML = {"content_type": "application/toml"}


def test_a_node_without_settings_shows_defaults(service: Service) -> None:
    answer = service.ask("GET", "/settings")
    assert answer.status == 200
    assert answer.json["motd"] == "Welcome to Pinwheel!"
    assert answer.headers["x-pinwheel-generation"] == "0"
    assert service.ask("GET", "/settings?set=true").json == {}


def test_bottlerockets_two_steps(service: Service, actuator: Actuator) -> None:
    assert service.ask("PATCH", "/settings?tx=mine", {"motd": "hello"}).status == 204
    assert service.ask("GET", "/settings?keys=motd").json == {"motd": "Welcome to Pinwheel!"}
    assert service.ask("GET", "/tx/list").json == ["mine"]
    assert service.ask("GET", "/tx?tx=mine").json == {"motd": "hello"}
    committed = service.ask("POST", "/tx/commit_and_apply?tx=mine")
    assert (committed.status, committed.json) == (200, ["settings.motd"])
    assert committed.headers["x-pinwheel-generation"] == "1"
    assert service.ask("GET", "/settings?keys=settings.motd").json == {"motd": "hello"}
    assert service.ask("GET", "/tx/list").json == []
    current = actuator.store.current()
    assert current is not None
    assert (current.author.uid, current.author.pid, current.settings) == (os.getuid(), os.getpid(), {"motd": "hello"})


def test_commit_and_apply_can_be_two_requests(service: Service) -> None:
    service.ask("PATCH", "/settings", {"motd": "later"})
    assert service.ask("POST", "/tx/commit").json == ["settings.motd"]
    assert service.ask("POST", "/tx/apply").status == 204
    assert service.ask("POST", "/tx/apply?keys=settings.motd").status == 204


def test_a_transaction_that_holds_nothing_cannot_be_committed(service: Service) -> None:
    for path in ("/tx/commit", "/tx/commit_and_apply"):
        answer = service.ask("POST", path)
        assert (answer.status, answer.codes) == (422, ["nothing-pending"])


def test_a_transaction_is_forgotten_on_request(service: Service) -> None:
    service.ask("PATCH", "/settings", {"motd": "x", "ntp": {"time-servers": ["192.0.2.1"]}})
    assert service.ask("DELETE", "/tx").json == ["settings.motd", "settings.ntp.time-servers"]
    assert service.ask("GET", "/tx").json == {}


def test_one_request_merges_commits_and_applies(service: Service) -> None:
    answer = service.ask("PATCH", "/settings?commit=true&reason=test", {"motd": "at once"})
    assert answer.status == 200
    assert answer.json["changes"] == [{"path": "settings.motd", "old": None, "new": "at once"}]
    assert (answer.json["generation"], answer.json["applied"]) == (1, True)
    assert service.ask("GET", "/settings/generations/1").json["reason"] == "test"


def test_key_pairs_are_read_as_what_they_look_like(service: Service) -> None:
    pairs = ["settings.motd=true enough", 'kernel.sysctl."vm.max_map_count"=262144', "docker.remote.port=2377"]
    assert service.ask("PATCH", "/settings/keypair", pairs).status == 204
    assert service.ask("GET", "/tx").json == {
        "motd": "true enough",
        "kernel": {"sysctl": {"vm.max_map_count": 262144}},
        "docker": {"remote": {"port": 2377}},
    }


@pytest.mark.parametrize("body", [{}, "a=b", ["a"], ["=b"], [1], ["a b=c"], [["motd=x"]]])
def test_what_is_no_list_of_pairs_is_refused(service: Service, body: object) -> None:
    assert service.ask("PATCH", "/settings/keypair", body).status == 400


def test_every_mistake_is_named_and_the_transaction_stays_as_it_was(service: Service) -> None:
    service.ask("PATCH", "/settings", {"motd": "good"})
    wrong = {"ntp": {"time-servers": ["ok.example.com", "a b"]}, "nonsense": 1, "docker": {"remote": {"port": 0}}}
    answer = service.ask("PATCH", "/settings", wrong)
    assert answer.status == 400
    paths = {problem["path"] for problem in answer.json["problems"]}
    assert paths == {"settings.ntp.time-servers[1]", "settings.nonsense", "settings.docker.remote.port"}
    assert service.ask("GET", "/tx").json == {"motd": "good"}


def test_null_and_delete_unset(service: Service) -> None:
    service.ask("PATCH", "/settings?commit=true", {"motd": "x", "ntp": {"time-servers": ["192.0.2.1"]}})
    assert service.ask("PATCH", "/settings", {"motd": None}).status == 204
    assert service.ask("DELETE", "/settings?keys=settings.ntp").status == 204
    assert service.ask("GET", "/tx").json == {"motd": None, "ntp": None}
    assert service.ask("POST", "/tx/commit_and_apply").json == ["settings.motd", "settings.ntp.time-servers"]
    assert service.ask("GET", "/settings?set=true").json == {}


def test_unsetting_at_once(service: Service) -> None:
    service.ask("PATCH", "/settings?commit=true", {"motd": "x"})
    answer = service.ask("DELETE", "/settings?keys=motd&commit=true")
    assert answer.json["changes"] == [{"path": "settings.motd", "old": "x", "new": None}]


def test_unsetting_what_is_not_set_is_said(service: Service) -> None:
    answer = service.ask("DELETE", "/settings?keys=motd,settings.ntp")
    assert (answer.status, answer.codes) == (404, ["no-such-key", "no-such-key"])
    assert service.ask("DELETE", "/settings?keys=motd&commit=true").status == 404


def test_what_a_transaction_sets_it_can_unset_again(service: Service) -> None:
    service.ask("PATCH", "/settings", {"motd": "x"})
    assert service.ask("DELETE", "/settings?keys=motd").status == 204
    assert service.ask("POST", "/tx/commit_and_apply").json == []


def test_a_whole_document_is_merged_or_replaces(service: Service) -> None:
    service.ask("PATCH", "/settings?commit=true", {"ntp": {"time-servers": ["192.0.2.1"]}})
    merged = service.ask("POST", "/settings/apply", b'[settings]\nmotd = "new"\n', **TOML)
    assert merged.status == 200
    assert set(service.ask("GET", "/settings?set=true").json) == {"motd", "ntp"}
    replaced = service.ask("POST", "/settings/apply?replace=true", b'motd = "alone"\n', **TOML)
    assert [change["path"] for change in replaced.json["changes"]] == ["settings.motd", "settings.ntp.time-servers"]
    assert service.ask("GET", "/settings?set=true").json == {"motd": "alone"}


def test_mistakes_in_toml_have_their_lines(service: Service) -> None:
    text = b'[settings]\nmotd = "x"\n\n[settings.ntp]\ntime-servers = ["a b"]\ntypo = 1\n'
    answer = service.ask("POST", "/settings/apply", text, **TOML)
    assert answer.status == 400
    assert {problem["path"]: problem["line"] for problem in answer.json["problems"]} == {
        "settings.ntp.time-servers[0]": 5,
        "settings.ntp.typo": 6,
    }


def test_a_dry_run_changes_nothing(service: Service, actuator: Actuator) -> None:
    answer = service.ask("PATCH", "/settings?commit=true&dry_run=true", {"motd": "x"})
    assert [change["new"] for change in answer.json["changes"]] == ["x"]
    service.ask("PATCH", "/settings", {"motd": "y"})
    assert service.ask("POST", "/tx/commit_and_apply?dry_run=true").json == ["settings.motd"]
    assert service.ask("GET", "/tx").json == {"motd": "y"}
    assert actuator.store.numbers() == []


def test_a_change_on_trial_is_confirmed_or_taken_back(service: Service) -> None:
    tried = service.ask("PATCH", "/settings?commit=true&try=600", {"motd": "trial"})
    assert tried.status == 200
    assert service.ask("PATCH", "/settings?commit=true", {"motd": "other"}).status == 409
    assert service.ask("POST", "/settings/try/revert").status == 200
    assert service.ask("GET", "/settings?set=true").json == {}
    assert service.ask("POST", "/settings/try/revert").status == 409
    service.ask("PATCH", "/settings?commit=true&try=600", {"motd": "again"})
    assert service.ask("POST", "/settings/try/confirm").status == 200
    assert service.ask("GET", "/settings?set=true").json == {"motd": "again"}


def test_history_shows_compares_and_goes_back(service: Service) -> None:
    for text in ("one", "two"):
        service.ask("PATCH", "/settings?commit=true", {"motd": text})
    history = service.ask("GET", "/settings/generations?limit=1").json
    assert (history["current"], [one["number"] for one in history["generations"]]) == (2, [2])
    change = [{"path": "settings.motd", "old": "one", "new": "two"}]
    assert service.ask("GET", "/settings/generations/2/diff").json == change
    assert service.ask("GET", "/settings/diff?from=1&to=2").json == change
    assert service.ask("POST", "/settings/generations/1/rollback?dry_run=true").json["generation"] == 2
    assert service.ask("POST", "/settings/generations/1/rollback").json["generation"] == 3
    assert service.ask("GET", "/settings?keys=motd").json == {"motd": "one"}
    for path in ("/settings/generations/9", "/settings/generations/9/diff", "/settings/diff?from=1&to=9"):
        assert service.ask("GET", path).status == 404
    assert service.ask("POST", "/settings/generations/9/rollback").status == 404


def test_the_first_generation_differs_from_nothing(service: Service) -> None:
    service.ask("PATCH", "/settings?commit=true", {"motd": "one"})
    assert service.ask("GET", "/settings/generations/1/diff").json == [
        {"path": "settings.motd", "old": None, "new": "one"}
    ]


def test_a_transaction_is_compared_with_what_is_set(service: Service) -> None:
    service.ask("PATCH", "/settings?tx=t", {"motd": "x"})
    assert service.ask("GET", "/settings/diff?tx=t").json == [{"path": "settings.motd", "old": None, "new": "x"}]
    for query in ("", "?tx=t&from=1", "?from=1"):
        assert service.ask("GET", f"/settings/diff{query}").status == 400


def test_a_secret_is_shown_nowhere(service: Service) -> None:
    service.ask("PATCH", "/settings", {"network": {"https-proxy": PROXY}})
    seen = [service.ask("GET", "/tx"), service.ask("GET", "/settings/diff?tx=default")]
    seen.append(service.ask("POST", "/tx/commit_and_apply"))
    service.ask("PATCH", "/settings", {"network": {"https-proxy": PROXY}, "motd": "x"})
    paths = ("/tx", "/", "/settings", "/settings?set=true", "/settings/generations/1", "/settings/generations/1/diff")
    seen += [service.ask("GET", path) for path in paths]
    assert all(answer.status == 200 for answer in seen)
    assert not [answer for answer in seen if b"hunter2" in answer.body]
    assert service.ask("GET", "/tx").json["motd"] == "x"


def test_a_service_that_does_not_come_up_again_brings_the_old_settings_back(
    service: Service, actuator: Actuator
) -> None:
    actuator.units.ill["systemd-timesyncd.service"] = 1
    answer = service.ask("PATCH", "/settings?commit=true", {"ntp": {"time-servers": ["192.0.2.1"]}})
    assert answer.status == 409
    assert "systemd-timesyncd.service" in answer.body.decode()
    assert service.ask("GET", "/settings?set=true").json == {}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?prefix=settings.ntp.time-servers", {"ntp": {"time-servers": []}}),
        ("?prefix=ntp.time", {"ntp": {"time-servers": []}}),
        ("?prefix=mot", {"motd": "Welcome to Pinwheel!"}),
        ("?prefix=settings.nothing", {}),
        ("?keys=ntp.time-servers,settings.motd", {"motd": "Welcome to Pinwheel!", "ntp": {"time-servers": []}}),
    ],
)
def test_parts_of_the_settings(service: Service, query: str, expected: object) -> None:
    assert service.ask("GET", f"/settings{query}").json == expected


def test_settings_that_there_are_not(service: Service) -> None:
    answer = service.ask("GET", "/settings?keys=motd,settings.nothing,ntp.nothing")
    assert answer.status == 404
    assert [problem["path"] for problem in answer.json["problems"]] == ["settings.nothing", "ntp.nothing"]
    for query in ("keys=motd&prefix=m", "keys=a..b", "prefix=a%20b"):
        assert service.ask("GET", f"/settings?{query}").status == 400


def test_what_is_answered_fits_the_description(service: Service) -> None:
    service.ask("PATCH", "/settings?commit=true", {"motd": "x", "network": {"hosts": [["192.0.2.1", ["a"]]]}})
    schemas = service.ask("GET", "/openapi.json").json["components"]["schemas"]
    for path, name in (("/settings", "Settings"), ("/settings?set=true", "Settings"), ("/", "Model")):
        schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}}
        Draft202012Validator(schema).validate(service.ask("GET", path).json)


def test_the_model_has_everything(service: Service) -> None:
    model = service.ask("GET", "/").json
    assert set(model) == {"settings", "services", "configuration-files", "os"}
    assert model["os"]["variant_id"] == "docker"
    assert model["os"]["build_id"] == "ab" * 32
    assert service.ask("GET", "/?prefix=settings.motd").json == {"settings": {"motd": "Welcome to Pinwheel!"}}
    assert set(service.ask("GET", "/?prefix=services.ntp").json["services"]) == {"ntp"}
    assert service.ask("GET", "/?prefix=os.variant_id").json == {"os": {"variant_id": "docker"}}


def test_metadata(service: Service) -> None:
    files = service.ask("GET", "/services?names=ntp").json["ntp"]["configuration-files"]
    assert set(service.ask("GET", f"/configuration-files?names={','.join(files)}").json) == set(files)
    assert set(service.ask("GET", "/services?prefix=services.nt").json) == {"ntp"}
    assert service.ask("GET", "/services?names=ntp,nothing").status == 404
    assert service.ask("GET", "/services?names=ntp&prefix=n").status == 400
    affected = service.ask("GET", "/metadata/affected-services?keys=settings.ntp.time-servers,settings.network").json
    assert affected["settings.ntp.time-servers"] == ["ntp"]
    assert "docker" in affected["settings.network"]
    assert service.ask("GET", "/metadata/affected-services?keys=settings.nothing").status == 404
    assert service.ask("GET", "/metadata/setting-generators").json == {}
    assert service.ask("GET", "/metadata/templates?keys=motd").json == {}
    assert service.ask("GET", "/metadata/templates?keys=nothing").status == 404


def test_the_api_describes_itself(service: Service) -> None:
    assert service.ask("GET", "/openapi.json").json["openapi"] == "3.1.0"
    assert service.ask("GET", "/settings/schema").json["properties"]["motd"]["type"]


def test_what_comes_later_says_so(service: Service) -> None:
    for method, path in (
        ("POST", "/actions/prepare-update"),
        ("GET", "/updates/status"),
        ("GET", "/report/cis?level=1"),
    ):
        answer = service.ask(method, path)
        assert (answer.status, answer.codes) == (501, ["later"])
    assert service.ask("GET", "/report").json == []


def test_without_an_actuator_what_is_known_is_still_said(service: Service, actuator: Actuator) -> None:
    actuator.paths.at("/run/pinwheel/actuator.sock").unlink()
    assert service.ask("GET", "/settings").status == 200
    assert service.ask("GET", "/status").status == 503
    assert service.ask("PATCH", "/settings", {"motd": "x"}).status == 503


def test_before_the_settings_are_read_there_is_nothing_to_say(service: Service, actuator: Actuator) -> None:
    actuator.paths.at("/run/pinwheel/view.json").unlink()
    assert (service.ask("GET", "/settings").status, service.ask("GET", "/os").status) == (503, 200)
