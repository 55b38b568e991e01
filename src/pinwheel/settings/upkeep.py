# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The settings of what keeps a node in order by itself: updates, live patches, health checks, metrics.

Names of `updates` and of `metrics.send-metrics` are Bottlerocket's.
"""

from __future__ import annotations  # see `pinwheel.settings.model`: evaluated when a document has the table

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta, field

from pinwheel.settings.model import Check, Conflict, Namespace, setting
from pinwheel.settings.types import Url

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def _time_of_day(text: str) -> str:
    if not re.fullmatch(r"(?:[01]\d|2[0-3]):[0-5]\d", text):
        raise ValueError("not a time of the day such as 03:30")
    return text


def _version(text: str) -> str:
    if text != "latest" and not re.fullmatch(r"v?\d{1,9}\.\d{1,9}\.\d{1,9}(?:[-+][0-9A-Za-z.+-]{1,64})?", text):
        raise ValueError('not "latest", nor a version such as 1.2.3')
    return text


class Window(Namespace, frozen=True):
    """A time of the week."""

    start: Annotated[
        str,
        Check(_time_of_day),
        setting("When it begins, in UTC.", example="03:30", unit="hours:minutes", allowed="`00:00` to `23:59`"),
    ]
    minutes: Annotated[
        Annotated[int, Meta(ge=1, le=1440)],
        setting("How long it lasts.", example=90, unit="minutes", allowed="1 to 1440"),
    ] = 60
    days: Annotated[
        list[Day],
        setting(
            "The days on which it begins; none given: all.",
            example=["sat", "sun"],
            allowed="`mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`",
        ),
    ] = field(default_factory=list)


class Updates(Namespace, frozen=True):
    """Updates of the whole system."""

    metadata_base_url: Annotated[
        Url | None,
        setting(
            "Where the update repository's metadata is. Without it, the one that the image was built with.",
            example="https://updates.example.com/metadata/",
            allowed="an HTTP or HTTPS address",
        ),
    ] = None
    targets_base_url: Annotated[
        Url | None,
        setting(
            "Where the update repository's targets are. Without it, the one that the image was built with.",
            example="https://updates.example.com/targets/",
            allowed="an HTTP or HTTPS address",
        ),
    ] = None
    seed: Annotated[
        Annotated[int, Meta(ge=0, le=2047)] | None,
        setting(
            "The node's place in the waves of an update: lower ones come earlier. Without it, a place by chance.",
            example=1024,
            allowed="0 to 2047",
        ),
    ] = None
    ignore_waves: Annotated[bool, setting("Whether an update is taken before the node's wave comes.", example=True)] = (
        False
    )
    version_lock: Annotated[
        str,
        Check(_version),
        setting("The version to update to.", example="1.2.3", allowed="`latest`, or a version such as `1.2.3`"),
    ] = "latest"
    automatic: Annotated[
        Literal["off", "download", "apply"],
        setting("How far the node goes by itself: not at all, to a downloaded update, or through it.", example="apply"),
    ] = "off"
    reboot: Annotated[
        Literal["manual", "window"],
        setting("Who starts an update that `automatic` has applied: you, or the node in a window.", example="window"),
    ] = "manual"
    windows: Annotated[
        list[Window],
        setting(
            "When the node may reboot into an update. None given: at any time.",
            example=[{"start": "03:30", "minutes": 90, "days": ["sat", "sun"]}],
            allowed="tables of `start`, `minutes` and `days`",
        ),
    ] = field(default_factory=list)


class LivePatch(Namespace, frozen=True):
    """Patches of the running kernel."""

    enabled: Annotated[bool, setting("Whether patches for the running kernel are taken.", example=False)] = True


Seconds = Annotated[int, Meta(ge=1, le=3600)]


class HealthCheck(Namespace, frozen=True):
    """A question whose answer says whether the node is well: by HTTP, or by a command in a container."""

    http: Annotated[
        Url | None,
        setting(
            "An address that must answer with a status of 200 to 299.",
            example="http://127.0.0.1:8080/healthz",
            allowed="an HTTP or HTTPS address",
        ),
    ] = None
    container: Annotated[
        str | None,
        setting("The container of the engine that `command` runs in.", example="web", allowed="a container's name"),
    ] = None
    command: Annotated[
        list[str],
        setting("A command that must end with status 0.", example=["curl", "-f", "http://localhost/"], allowed="texts"),
    ] = field(default_factory=list)
    interval: Annotated[
        Seconds, setting("Time between two checks.", example=30, unit="seconds", allowed="1 to 3600")
    ] = 30
    timeout: Annotated[
        Seconds, setting("When it counts as failed.", example=5, unit="seconds", allowed="1 to 3600")
    ] = 5
    retries: Annotated[
        Annotated[int, Meta(ge=1, le=100)],
        setting("After how many failures in a row the node is not well.", example=3, allowed="1 to 100"),
    ] = 3

    def conflicts(self) -> Iterator[Conflict]:
        """See `Namespace.conflicts`: one question."""
        if bool(self.container) != bool(self.command):
            yield "", "container and command need each other"
        if (self.http is None) != bool(self.command):
            yield "", "needs either http, or container and command"


def _sends_nothing(value: bool) -> bool:
    if value:
        raise ValueError("Pinwheel sends no metrics by itself; they can be fetched from the API")
    return value


class Metrics(Namespace, frozen=True):
    """The node's metrics."""

    enabled: Annotated[bool, setting("Whether the API gives metrics (`GET /metrics`).", example=False)] = True
    send_metrics: Annotated[
        Annotated[bool, Check(_sends_nothing)],
        setting(
            "Taken because Bottlerocket's documents have it. The node sends metrics nowhere, so it is false.",
            example=False,
            allowed="`false`",
        ),
    ] = False
