# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Everything that the API can be asked: one table. Paths and statuses are Bottlerocket's where it has the endpoint.

Who may: a reader sees everything but secrets; an operator also restarts, updates, puts into effect and collects, which
gives nobody new rights; changing settings and running commands is for admins, for a setting can name a privileged
container. Whoever can open the unix socket is an admin.
"""

from pinwheel.api.endpoint import (
    EVENTS,
    JSON_LINES,
    METRICS,
    TAR,
    TEXT,
    TOML,
    Answer,
    Body,
    Endpoint,
    Parameter,
)
from pinwheel.api.endpoint import JSON as _JSON

MAX_TRY_SECONDS = 86_400
MAX_LOG_LINES = 10_000
DEFAULT_TRANSACTION = "default"

_BOTH = (_JSON, TOML)
_DONE = Answer(204, "Done.")
_KEYS_CHANGED = Answer(200, "The settings that changed, each as `settings.motd`.", "texts")
_COMMITTED = Answer(200, "What was done.", "Commit")

_TX = Parameter("tx", "The transaction, by a name of the client's choice.", default=DEFAULT_TRANSACTION, maximum=64)
_PREFIX = Parameter("prefix", "Only what begins with this, such as `settings.network`.")
_DRY_RUN = Parameter("dry_run", "Check everything, and say what would happen; change nothing.", "flag")
_TRY = Parameter(
    "try",
    "Take the change back by itself after so many seconds, unless it is confirmed.",
    "number",
    minimum=1,
    maximum=MAX_TRY_SECONDS,
)
_REASON = Parameter("reason", "A few words for the history.", maximum=200)
_COMMIT = Parameter("commit", "Do it at once instead of in a transaction: merge, commit, apply.", "flag")
_EFFECT = (_TRY, _DRY_RUN, _REASON)
_FORMAT = Parameter("format", "How to write it.", "choice", default="json", choices=("json", "text"))

SETTINGS = (
    Endpoint(
        "GET", "/", "get_model", "settings", "Everything about the configuration", "reader",
        (Answer(200, "Settings, services, configuration files, system.", "Model"),),
        parameters=(_PREFIX,),
    ),
    Endpoint(
        "GET", "/settings", "get_settings", "settings", "The settings in effect", "reader",
        (Answer(200, "Settings, with the defaults of what is not set.", "Settings"),),
        errors=(404,),
        parameters=(
            Parameter("keys", "Only these settings; not together with `prefix`.", "texts"),
            _PREFIX,
            Parameter("set", "Only what is set, without defaults.", "flag"),
        ),
        description="Secrets are shown as asterisks.",
    ),
    Endpoint(
        "PATCH", "/settings", "patch_settings", "settings", "Change settings", "admin",
        (Answer(204, "It is in the transaction."), Answer(200, "It is done (`commit`).", "Commit")),
        errors=(409, 503),
        parameters=(_TX, _COMMIT, *_EFFECT),
        body=Body("Patch", "Settings to merge: tables are merged, other values replaced; null unsets.", _BOTH),
        description="The whole change is checked against the model before it is taken.",
    ),
    Endpoint(
        "PATCH", "/settings/keypair", "patch_key_pairs", "settings", "Change settings given as texts", "admin",
        (Answer(204, "It is in the transaction."), Answer(200, "It is done (`commit`).", "Commit")),
        errors=(409, 503),
        parameters=(_TX, _COMMIT, *_EFFECT),
        body=Body("texts", "Pairs `key=value`; a value is true or false, else a number, else a text."),
    ),
    Endpoint(
        "DELETE", "/settings", "delete_settings", "settings", "Unset settings", "admin",
        (Answer(204, "It is in the transaction."), Answer(200, "It is done (`commit`).", "Commit")),
        errors=(404, 409, 503),
        parameters=(
            Parameter("keys", "Settings or tables of settings, such as `settings.ntp`.", "texts", required=True),
            _TX,
            _COMMIT,
            *_EFFECT,
        ),
        description="What is unset has its default again.",
    ),
    Endpoint(
        "POST", "/settings/apply", "apply_settings", "settings", "Take a whole document of settings", "admin",
        (_COMMITTED,),
        errors=(409, 503),
        parameters=(
            Parameter("replace", "What the document does not name is unset.", "flag"),
            *_EFFECT,
        ),
        body=Body("Patch", "Settings, with or without the outer table `settings`.", _BOTH),
        description="Merge, commit and apply in one request. Mistakes in TOML are reported with their lines.",
    ),
    Endpoint(
        "GET", "/settings/schema", "get_schema", "settings", "The settings as JSON Schema", "reader",
        (Answer(200, "JSON Schema 2020-12.", "dict[anything]"),),
    ),
    Endpoint(
        "GET", "/settings/diff", "diff_settings", "settings", "What differs", "reader",
        (Answer(200, "Each setting that differs.", "list[Change]"),),
        errors=(404, 503),
        parameters=(
            Parameter("tx", "What this transaction would change; not together with the others.", maximum=64),
            Parameter("from", "A generation; needs `to`.", "number", minimum=1, maximum=10**10 - 1),
            Parameter("to", "A generation; needs `from`.", "number", minimum=1, maximum=10**10 - 1),
        ),
    ),
    Endpoint(
        "GET", "/settings/generations", "list_generations", "history", "The history of the settings", "reader",
        (Answer(200, "The newest first.", "History"),),
        errors=(503,),
        parameters=(Parameter("limit", "At most so many.", "number", default=100, minimum=1, maximum=1000),),
    ),
    Endpoint(
        "GET", "/settings/generations/{number}", "get_generation", "history", "One generation", "reader",
        (Answer(200, "Who, when, why, and what was set.", "WholeGeneration"),),
        errors=(404, 503),
    ),
    Endpoint(
        "GET", "/settings/generations/{number}/diff", "diff_generation", "history", "What a generation changed",
        "reader",
        (Answer(200, "Each setting that differs.", "list[Change]"),),
        errors=(404, 503),
        parameters=(
            Parameter("against", "Another generation than the one before.", "number", minimum=1, maximum=10**10 - 1),
        ),
    ),
    Endpoint(
        "POST", "/settings/generations/{number}/rollback", "rollback", "history", "Go back to a generation", "admin",
        (_COMMITTED,),
        errors=(404, 409, 503),
        parameters=(_DRY_RUN,),
        description="Makes a new generation with the settings of the old one.",
    ),
    Endpoint(
        "POST", "/settings/try/confirm", "confirm_trial", "history", "Keep the change on trial", "operator",
        (_COMMITTED,),
        errors=(409, 503),
    ),
    Endpoint(
        "POST", "/settings/try/revert", "revert_trial", "history", "Take back the change on trial", "operator",
        (_COMMITTED,),
        errors=(409, 503),
    ),
)  # fmt: skip

TRANSACTIONS = (
    Endpoint(
        "GET", "/tx", "get_transaction", "transactions", "What a transaction holds", "reader",
        (Answer(200, "Settings to be; null for those to be unset. Secrets are shown as asterisks.", "Document"),),
        parameters=(_TX,),
    ),
    Endpoint(
        "DELETE", "/tx", "delete_transaction", "transactions", "Forget a transaction", "admin",
        (Answer(200, "The settings that were in it.", "texts"),),
        parameters=(_TX,),
    ),
    Endpoint(
        "GET", "/tx/list", "list_transactions", "transactions", "The transactions that hold something", "reader",
        (Answer(200, "Their names.", "texts"),),
    ),
    Endpoint(
        "POST", "/tx/commit", "commit_transaction", "transactions", "Make a generation of a transaction", "admin",
        (_KEYS_CHANGED,),
        errors=(409, 422, 503),
        parameters=(_TX, _REASON),
        description="It takes effect with `/tx/apply`, or at the next boot.",
    ),
    Endpoint(
        "POST", "/tx/apply", "apply_transaction", "transactions", "Put the settings into effect", "operator",
        (_DONE,),
        errors=(404, 409, 503),
        parameters=(Parameter("keys", "Only what these settings affect; everything without any.", "texts"),),
        description="Answers when it is done. What is in effect already is not touched.",
    ),
    Endpoint(
        "POST", "/tx/commit_and_apply", "commit_and_apply", "transactions", "Commit, and put into effect", "admin",
        (_KEYS_CHANGED,),
        errors=(409, 422, 503),
        parameters=(_TX, *_EFFECT),
        description="Answers when every unit concerned is up again; if one is not, the old settings are back.",
    ),
)  # fmt: skip

METADATA = (
    Endpoint(
        "GET", "/os", "get_os", "system", "Which system runs", "reader",
        (Answer(200, "", "Os"),),
        parameters=(_PREFIX,),
    ),
    Endpoint(
        "GET", "/metadata/affected-services", "get_affected_services", "metadata", "Services that read settings",
        "reader",
        (Answer(200, "For each setting the names of services.", "dict[texts]"),),
        errors=(404,),
        parameters=(Parameter("keys", "Settings.", "texts", required=True),),
    ),
    Endpoint(
        "GET", "/metadata/setting-generators", "get_setting_generators", "metadata", "Settings that are generated",
        "reader",
        (Answer(200, "Empty: no setting of this system has a generator.", "dict[text]"),),
    ),
    Endpoint(
        "GET", "/metadata/templates", "get_templates", "metadata", "Templates of settings", "reader",
        (Answer(200, "Empty: no setting of this system has a template.", "dict[text]"),),
        errors=(404,),
        parameters=(Parameter("keys", "Settings.", "texts", required=True),),
    ),
    Endpoint(
        "GET", "/services", "get_services", "metadata", "Consumers of settings", "reader",
        (Answer(200, "Services by name.", "dict[Service]"),),
        errors=(404,),
        parameters=(
            Parameter("names", "Only these; not together with `prefix`.", "texts"),
            Parameter("prefix", "Only those whose names begin with this."),
        ),
    ),
    Endpoint(
        "GET", "/configuration-files", "get_configuration_files", "metadata", "Files that settings turn into", "reader",
        (Answer(200, "Files by name.", "dict[ConfigurationFile]"),),
        errors=(404,),
        parameters=(
            Parameter("names", "Only these; not together with `prefix`.", "texts"),
            Parameter("prefix", "Only those whose names begin with this."),
        ),
    ),
    Endpoint(
        "GET", "/openapi.json", "get_openapi", "metadata", "This API as OpenAPI 3.1", "reader",
        (Answer(200, "", "dict[anything]"),),
    ),
)  # fmt: skip

_UPDATES = "looking for, fetching and installing updates"
_EPHEMERAL = "using a machine's ephemeral disks"


def _update(name: str, summary: str) -> Endpoint:
    operation = name.replace("-", "_")
    return Endpoint("POST", f"/actions/{name}", operation, "updates", summary, "operator", (_DONE,), later=_UPDATES)


SYSTEM = (
    Endpoint(
        "GET", "/status", "get_status", "system", "How the node is", "reader",
        (Answer(200, "Looked at in this moment.", "Status"),),
        errors=(503,),
    ),
    Endpoint(
        "GET", "/logs", "get_logs", "system", "The journal", "reader",
        (
            Answer(200, "One entry a line: objects, or with `format=text` text.", "LogLine", JSON_LINES),
            Answer(200, "", "text", TEXT),
        ),
        parameters=(
            Parameter("unit", "Only these units, `docker.service`.", "texts"),
            Parameter("priority", "This one and worse.", "choice", choices=(
                "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")),
            Parameter("since", "From this time: RFC 3339, or so long ago as `2h`, `30min`, `1d`.", maximum=40),
            Parameter("lines", "The newest lines, so many.", "number", default=200, minimum=1, maximum=MAX_LOG_LINES),
            Parameter("boot", "0: this boot; 1: the one before ...; without it, all.", "number", maximum=1000),
            Parameter("follow", "Go on with what is yet to come, until the client leaves.", "flag"),
            _FORMAT,
        ),
    ),
    Endpoint(
        "GET", "/events", "get_events", "system", "What happens on the node", "reader",
        (Answer(200, "Server-sent events; `id` can be sent as `Last-Event-ID`.", "text", EVENTS),),
        description="Commits, trials, rollbacks, reboots and failures, as they happen: journal entries with the field "
                    "PINWHEEL_EVENT, which becomes the event's name.",
    ),
    Endpoint(
        "GET", "/metrics", "get_metrics", "system", "Numbers for Prometheus", "reader",
        (Answer(200, "", "text", METRICS),),
    ),
    Endpoint(
        "POST", "/support-bundle", "make_support_bundle", "system", "Everything that support needs", "operator",
        (Answer(200, "A tar archive, secrets hidden.", "text", TAR),),
        errors=(503,),
    ),
    Endpoint(
        "POST", "/actions/reboot", "reboot", "system", "Restart the machine", "operator",
        (_DONE,), errors=(409, 503),
    ),
    Endpoint(
        "POST", "/actions/poweroff", "poweroff", "system", "Switch the machine off", "operator",
        (_DONE,), errors=(409, 503),
    ),
    Endpoint(
        "GET", "/containers", "get_containers", "containers", "The containers that there are", "reader",
        (Answer(200, "Host containers, then the engine's, if the engine answers.", "list[Container]"),),
        errors=(503,),
    ),
    Endpoint(
        "GET", "/exec", "exec", "containers", "Run a command in a host container", "admin",
        (Answer(101, "A websocket: see the reference page."),),
        errors=(426,),
    ),
)  # fmt: skip

LATER = (
    _update("refresh-updates", "Look for updates"),
    _update("prepare-update", "Fetch an update"),
    _update("activate-update", "Boot into the update next"),
    _update("deactivate-update", "Stay with the running system"),
    Endpoint(
        "GET", "/updates/status", "get_update_status", "updates", "Updates, and what is done with them", "reader",
        (Answer(200, "", "dict[anything]"),),
        later=_UPDATES,
    ),
    Endpoint(
        "POST", "/actions/ephemeral-storage/init", "init_ephemeral_storage", "ephemeral storage", "Format the disks",
        "admin", (_DONE,), body=Body("dict[anything]", "`filesystem`, `disks`", required=False), later=_EPHEMERAL,
    ),
    Endpoint(
        "POST", "/actions/ephemeral-storage/bind", "bind_ephemeral_storage", "ephemeral storage", "Use the disks",
        "admin", (_DONE,), body=Body("dict[anything]", "`targets`", required=False), later=_EPHEMERAL,
    ),
    Endpoint(
        "GET", "/actions/ephemeral-storage/list-disks", "list_ephemeral_disks", "ephemeral storage", "The disks",
        "reader", (Answer(200, "", "texts"),), parameters=(_FORMAT,), later=_EPHEMERAL,
    ),
    Endpoint(
        "GET", "/actions/ephemeral-storage/list-dirs", "list_ephemeral_directories", "ephemeral storage",
        "Directories that can be on the disks", "reader", (Answer(200, "", "texts"),), parameters=(_FORMAT,),
        later=_EPHEMERAL,
    ),
    Endpoint(
        "GET", "/report/cis", "get_cis_report", "reports", "Compliance with the CIS benchmark", "reader",
        (Answer(200, "", "dict[anything]"),),
        parameters=(
            Parameter("level", "Of the benchmark.", "number", default=1, minimum=1, maximum=2),
            _FORMAT,
            Parameter("type", "Which benchmark.", "choice", choices=("kubernetes",)),
        ),
        later="reports of compliance",
    ),
    Endpoint(
        "GET", "/report/fips", "get_fips_report", "reports", "Compliance with FIPS 140-3", "reader",
        (Answer(200, "", "dict[anything]"),), parameters=(_FORMAT,), later="reports of compliance",
    ),
    Endpoint(
        "POST", "/network/configure", "configure_network", "system", "Take a net.toml for the next boot", "admin",
        (_DONE,), body=Body("text", "net.toml", (TOML, TEXT), required=False),
        later="taking a net.toml as it is; until then the same is set below `settings.network`",
    ),
)  # fmt: skip

LIST_REPORTS = Endpoint(
    "GET", "/report", "list_reports", "reports", "The reports that there are", "reader",
    (Answer(200, "Their names.", "texts"),),
)  # fmt: skip

ENDPOINTS: tuple[Endpoint, ...] = (*SETTINGS, *TRANSACTIONS, *METADATA, *SYSTEM, LIST_REPORTS, *LATER)

REPORTS: tuple[str, ...] = tuple(
    endpoint.path.removeprefix("/report/")
    for endpoint in ENDPOINTS
    if endpoint.path.startswith("/report/") and not endpoint.later
)
"""The reports that there are."""
