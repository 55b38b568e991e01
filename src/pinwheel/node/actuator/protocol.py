# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What may be asked of the actuator: the whole list of verbs, and the lines that carry them.

One connection carries one request: a JSON line of at most `MAX_REQUEST` bytes. The answer is JSON lines too: any number
of `Progress`, then one `Done` or `Failed`. File descriptors travel with a `Started` line (SCM_RIGHTS, unix(7)).
A request that is none of these, or has a field that its verb does not know, is refused before anything is done.
"""

from typing import Any, Literal

import msgspec

MAX_REQUEST = 1024 * 1024
"""Bytes of a request line: four times the most that user data may hold, as JSON."""

MAX_TRIAL = 86_400
"""Seconds that a trial of settings may last."""


class Author(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Who asked for a change; recorded in the generation that the change makes."""

    kind: Literal["local", "certificate", "user-data", "system"]
    """A process on the node, a client certificate of the remote API, user data at boot, or Pinwheel itself."""
    name: str = ""
    """The certificate's common name, or the source of the user data."""
    uid: int | None = None
    """Of a local process (SO_PEERCRED)."""
    pid: int | None = None
    fingerprint: str = ""
    """SHA-256 of the client certificate, in hexadecimal."""


class Change(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is to become of the settings: keys removed first, then the patch merged in."""

    patch: dict[str, Any] = {}
    """A document of settings without the outer `settings`; null removes a key (RFC 7396)."""
    unset: list[str] = []
    """Paths of settings, as users write them."""
    replace: bool = False
    """The patch is the whole document: what it does not name is no longer set."""


class Verb(msgspec.Struct, frozen=True, tag_field="verb", forbid_unknown_fields=True):
    """One thing that may be asked for; its tag is the verb's name."""


class Check(Verb, frozen=True, tag="check"):
    """Say whether a change would be valid, without looking further than the model: fails with the problems if not."""

    change: Change


class Commit(Verb, frozen=True, tag="commit"):
    """Make a generation of a change, and put it into effect."""

    change: Change
    author: Author
    reason: str = "set"
    apply: bool = True
    """Whether it takes effect now; else at the next `Apply`, or at the next boot."""
    dry_run: bool = False
    """Check everything, the consumers' own checkers included, and say what would happen; change nothing."""
    try_seconds: int = 0
    """Take the change back by itself after so many seconds, unless it is confirmed; 0 for a change that stays."""


class Apply(Verb, frozen=True, tag="apply"):
    """Put the current generation into effect."""

    keys: list[str] = []
    """Only services that these settings affect; all without any."""


class Rollback(Verb, frozen=True, tag="rollback"):
    """Make a new generation with the settings of an old one, and put it into effect."""

    generation: int
    author: Author
    dry_run: bool = False


class Confirm(Verb, frozen=True, tag="confirm"):
    """Keep the change that is on trial."""

    author: Author


class Revert(Verb, frozen=True, tag="revert"):
    """Take back the change that is on trial."""

    author: Author


class ListGenerations(Verb, frozen=True, tag="generations"):
    """Give the newest generations without their settings, newest first."""

    limit: int = 100


class ShowGeneration(Verb, frozen=True, tag="generation"):
    """Give one generation whole, its secrets hidden."""

    number: int


class DiffGenerations(Verb, frozen=True, tag="generations-diff"):
    """Give what differs between the settings of two generations."""

    old: int
    new: int


class Status(Verb, frozen=True, tag="status"):
    """Look at the node now, and give the status document."""


class ListContainers(Verb, frozen=True, tag="containers"):
    """Say which containers there are, the engine's and host containers."""


class Reboot(Verb, frozen=True, tag="reboot"):
    """Restart the machine."""

    author: Author


class PowerOff(Verb, frozen=True, tag="poweroff"):
    """Switch the machine off."""

    author: Author


class Exec(Verb, frozen=True, tag="exec"):
    """Run a command in a running host container.

    `Started` brings its terminal (one descriptor), or its standard input and output (two). `Done` has its exit status.
    """

    container: str
    command: list[str]
    author: Author
    tty: bool = False
    rows: int = 24
    columns: int = 80


class SupportBundle(Verb, frozen=True, tag="support-bundle"):
    """Collect what support needs: `Started` brings a descriptor to read a tar archive from. No secret is in it."""

    author: Author


Request = (
    Check
    | Commit
    | Apply
    | Rollback
    | Confirm
    | Revert
    | ListGenerations
    | ShowGeneration
    | DiffGenerations
    | Status
    | ListContainers
    | Reboot
    | PowerOff
    | Exec
    | SupportBundle
)


class _Answer(msgspec.Struct, frozen=True, tag_field="kind"):
    pass


class Progress(_Answer, frozen=True, tag="progress"):
    """What is being done, for people."""

    message: str


class Started(_Answer, frozen=True, tag="started"):
    """Something runs; descriptors travel with this line."""

    descriptors: int


class Done(_Answer, frozen=True, tag="done"):
    """The end, when all went well."""

    result: Any = None


class Failed(_Answer, frozen=True, tag="failed"):
    """The end, when it did not."""

    status: int
    """What an HTTP answer would say: 400, 404, 409, 422, 500, 501."""
    message: str
    problems: list[dict[str, Any]] = []
    """Each with code, path, line, message and hint: `pinwheel.settings.problem.Problem`."""


Answer = Progress | Started | Done | Failed


def line(message: msgspec.Struct) -> bytes:
    """Write a request or an answer as a line."""
    return msgspec.json.encode(message) + b"\n"


def read_request(text: bytes) -> Request:
    """Read a request; raises `msgspec.ValidationError` or `msgspec.DecodeError` when it is none."""
    request: Request = msgspec.json.decode(text, type=Request)
    return request


def read_answer(text: bytes) -> Answer:
    """Read an answer; raises `msgspec.DecodeError` when it is none."""
    answer: Answer = msgspec.json.decode(text, type=Answer)
    return answer
