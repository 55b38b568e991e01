# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What all verbs that change settings have in common: how the change is to take effect."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import click

from pinwheel.api.client.http import Query
from pinwheel.api.client.session import Session, show_commit, waiting
from pinwheel.api.endpoints import MAX_TRY_SECONDS

Verb = Callable[..., Any]


class Effect(NamedTuple):
    """How a change is to take effect."""

    try_seconds: int | None
    dry_run: bool
    reason: str | None
    json: bool

    @property
    def query(self) -> Query:
        """The parameters that say so."""
        return {"try": self.try_seconds, "dry_run": self.dry_run, "reason": self.reason}

    def show(self, commit: Mapping[str, Any]) -> None:
        """Say what was done."""
        show_commit(commit, as_json=self.json, dry_run=self.dry_run, try_seconds=self.try_seconds)


def effect_options(trial: int | None = None, *, with_json: bool = True) -> Callable[[Verb], Verb]:
    """Add the options that become an `Effect`, the function's last argument.

    Args:
        trial: seconds of a trial when the verb is one; None when there is one only on demand.
        with_json: whether `--json` is one of them.
    """
    seconds = click.IntRange(1, MAX_TRY_SECONDS)
    trial_option = click.option(
        "--try", "--for", "try_seconds", type=seconds, metavar="SECONDS", default=trial, show_default=trial is not None,
        help="Take the change back by itself after so long, unless `try confirm` is called.",
    )  # fmt: skip
    options: list[Callable[[Verb], Verb]] = [
        trial_option,
        click.option("--dry-run", is_flag=True, help="Check everything, say what would happen, change nothing."),
        click.option("--reason", metavar="TEXT", help="A few words for the history."),
        *([json_option("Print what was done as JSON.")] if with_json else []),
    ]

    def decorate(function: Verb) -> Verb:
        def with_effect(
            *arguments: Any,  # noqa: ANN401 - whatever the verb takes
            try_seconds: int | None,
            dry_run: bool,
            reason: str | None,
            json: bool = False,
            **named: Any,  # noqa: ANN401
        ) -> Any:  # noqa: ANN401
            return function(*arguments, effect=Effect(try_seconds, dry_run, reason, json), **named)

        with_effect.__doc__ = function.__doc__
        verb: Verb = with_effect
        for option in reversed(options):
            verb = option(verb)
        return verb

    return decorate


def json_option(words: str = "Print JSON.") -> Callable[[Verb], Verb]:
    """Add `--json`."""
    return click.option("--json", is_flag=True, help=words)


def change(session: Session, method: str, path: str, content: object, effect: Effect, **query: object) -> None:
    """Send a change, wait until it is in effect, and say what was done."""
    with waiting("Checking" if effect.dry_run else "Applying"):
        commit = session.client.send(method, path, content, **query, **effect.query)
    effect.show(commit)
