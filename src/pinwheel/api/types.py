# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The bodies that the API takes and gives, for whoever writes or checks them: OpenAPI, the clients, the tests.

The API service itself does not import this module: what it passes on, others have made. Names of fields are
Bottlerocket's where the body is one of its own.
"""

from types import GenericAlias
from typing import Annotated, Any, Literal

import msgspec

Document = dict[str, Any]
"""Settings as nested tables under the names that users write, without the outer `settings`."""
Settings = Document
"""The same, where OpenAPI describes each setting (`pinwheel.settings`)."""
Patch = Document
"""Settings to merge, described too: null unsets (RFC 7396)."""


def _says(words: str) -> msgspec.Meta:
    return msgspec.Meta(description=words)


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong with a request."""

    code: Annotated[str, _says("A fixed word for programs, such as `unknown-key` or `bad-value`.")]
    message: Annotated[str, _says("What is wrong.")]
    path: Annotated[str, _says("The setting or parameter, such as `settings.ntp.time-servers[1]`; may be empty.")] = ""
    line: Annotated[int, _says("Line of a TOML or JSON text, from 1; 0 when the problem has none.")] = 0
    hint: Annotated[str, _says("What to do; may be empty.")] = ""


class Failure(msgspec.Struct, frozen=True):
    """The body of every answer that is an error."""

    message: Annotated[str, _says("What went wrong, in one line.")]
    problems: Annotated[list[Problem], _says("Each single thing that is wrong.")] = []


class Os(msgspec.Struct, frozen=True):
    """Which system runs."""

    pretty_name: Annotated[str, _says("For people: `Pinwheel 0.1.0 (docker)`.")] = ""
    variant_id: str = ""
    version_id: str = ""
    build_id: Annotated[str, _says("The root hash of the verified system: it names every bit of it.")] = ""
    arch: Annotated[str, _says("As the kernel names it, `x86_64`.")] = ""


class Service(msgspec.Struct, frozen=True, rename="kebab"):
    """A consumer of settings."""

    configuration_files: Annotated[list[str], _says("Names in `/configuration-files`.")]
    restart_commands: Annotated[list[list[str]], _says("What is run when one of its files has changed.")]


class ConfigurationFile(msgspec.Struct, frozen=True):
    """A file that settings turn into."""

    path: str
    mode: Annotated[str, _says("Permission bits in octal: `0644`.")] = "0644"


class Model(msgspec.Struct, frozen=True, rename="kebab", omit_defaults=True):
    """Everything that the node says about its configuration."""

    settings: Annotated[Document, _says("Effective settings, defaults filled in, secrets hidden.")] = {}
    services: dict[str, Service] = {}
    configuration_files: dict[str, ConfigurationFile] = {}
    os: Os | None = None


class KeyPair(msgspec.Struct, frozen=True):
    """A setting written as text; it is read as true or false, as a number, or as a text, whichever fits first."""

    key: str
    value: str


class Change(msgspec.Struct, frozen=True):
    """One setting that differs; secrets are hidden."""

    path: Annotated[str, _says("`settings.motd`")]
    old: Annotated[Any, _says("null where it was not set.")] = None
    new: Annotated[Any, _says("null where it is no longer set.")] = None


class Trial(msgspec.Struct, frozen=True):
    """A change that is taken back by itself unless it is confirmed."""

    generation: int
    until: Annotated[str, _says("RFC 3339, UTC.")]


class Commit(msgspec.Struct, frozen=True):
    """What a change did, or with `dry_run` would do."""

    generation: Annotated[int, _says("The newest generation; the same as before when nothing changed.")]
    changes: list[Change] = []
    services: Annotated[list[str], _says("Consumers that the change concerns.")] = []
    units: Annotated[list[str], _says("Units that were restarted, reloaded, started or stopped.")] = []
    applied: Annotated[bool, _says("Whether it is in effect.")] = False
    reboot: Annotated[list[str], _says("Settings whose change takes effect at the next boot.")] = []
    trial: Annotated[Trial | None, _says("Until when it must be confirmed.")] = None


class Author(msgspec.Struct, frozen=True):
    """Who made a generation."""

    kind: Literal["local", "certificate", "user-data", "system"]
    name: Annotated[str, _says("The certificate's common name, or the source of the user data.")] = ""
    uid: Annotated[int | None, _says("User of a local process.")] = None
    pid: int | None = None
    fingerprint: Annotated[str, _says("SHA-256 of the client certificate, in hexadecimal.")] = ""


class Generation(msgspec.Struct, frozen=True):
    """One state of the settings in the history."""

    number: int
    parent: Annotated[int, _says("The generation that was in effect before; 0 for none.")]
    created: Annotated[str, _says("RFC 3339, UTC.")]
    author: Author
    reason: Annotated[str, _says("`set`, `rollback to 40`")]
    trial: Annotated[bool, _says("It was to be confirmed, and is not taken at a boot.")] = False
    user_data: Annotated[str, _says("SHA-256 of the user data that was taken last.")] = ""
    changes: Annotated[list[str], _says("The settings that it changed.")] = []


class WholeGeneration(Generation, frozen=True, kw_only=True):
    """A generation and what is set in it, secrets hidden."""

    settings: Document


class History(msgspec.Struct, frozen=True):
    """The generations that are kept."""

    current: Annotated[int, _says("The newest that is no trial; 0 for none.")]
    generations: Annotated[list[Generation], _says("The newest first.")]
    damaged: Annotated[dict[str, str], _says("Those that cannot be read, by number, and why.")] = {}


class UserData(msgspec.Struct, frozen=True):
    """Where the node's user data came from, and what is wrong with it."""

    source: str
    problems: list[Problem] = []


class Status(msgspec.Struct, frozen=True):
    """How the node is, looked at in this moment."""

    schema: int
    ready: Annotated[bool, _says("Whether workloads can be given to the node.")]
    reasons: Annotated[list[str], _says("What is against readiness.")]
    version: str
    variant: str
    slot: Annotated[str, _says("The slot that the root runs from, `a` or `b`.")]
    root_hash: str
    kernel: str
    hostname: str
    addresses: list[str]
    secure_boot: bool
    user_data: UserData
    docker: Annotated[dict[str, Any], _says("Under `remote` the port of the engine's remote API, or null.")]
    uptime_seconds: float
    stage: Annotated[str, _says("`booting` until the node was ready for the first time, then `booted`.")] = ""
    failed_units: list[str] = []
    generation: Annotated[int, _says("The generation in effect.")] = 0
    trial: Trial | None = None


class Container(msgspec.Struct, frozen=True):
    """A container of the engine, or a host container."""

    id: str
    name: str
    image: str
    state: Annotated[
        str, _says("`running`, `exited` and so on, as the engine has them; of a host container `stopped`.")
    ]
    status: Annotated[str, _says("For people: `Up 2 hours`. Empty for a host container.")]
    runtime: Literal["engine", "host"]
    unit: Annotated[str, _says("Its unit, by which `/metrics` has its memory and processor time, and `/logs` its log.")]


class LogLine(msgspec.Struct, frozen=True):
    """One entry of the journal."""

    time: Annotated[str, _says("RFC 3339, UTC, with microseconds.")]
    priority: Annotated[int, _says("0 (emergency) to 7 (debug), as syslog has them.")]
    unit: str
    identifier: Annotated[str, _says("The program's name for itself.")]
    message: str


class ExecOutcome(msgspec.Struct, frozen=True):
    """How a command in a host container ended."""

    status: Annotated[int, _says("Its exit code; 128 and the signal's number where a signal ended it.")]


def named(name: str) -> Any:  # noqa: ANN401 - a type, whichever form it has
    """Give a type by the name that the table of endpoints has for it: `Change`, `list[Change]`, `text`.

    Raises:
        KeyError: there is none.
    """
    plain = {"text": str, "texts": list[str], "number": int, "anything": Any}
    if name in plain:
        return plain[name]
    shape, bracket, inner = name.removesuffix("]").partition("[")
    if not bracket:
        return globals()[name]
    arguments = (str, named(inner)) if shape == "dict" else (named(inner),)
    return GenericAlias({"dict": dict, "list": list}[shape], arguments)
