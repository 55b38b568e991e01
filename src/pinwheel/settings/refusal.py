# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Mistakes in a change that is asked for at run time, said so that whoever asked can put them right.

At boot a mistake costs one key, and the hint says what is used instead (`user_data`). Here nothing is taken, and the
hint says what would be.
"""

from typing import Any

import msgspec

from pinwheel.settings.model import Namespace, Setting
from pinwheel.settings.problem import Problem, path_text
from pinwheel.settings.reading import Mistake, read
from pinwheel.settings.suggestion import suggestion

Document = dict[str, Any]


def refusals(model: type[Namespace], before: Document, after: Document) -> list[Problem]:
    """Give what is wrong in a document; what was wrong in the same way before does not stand in the way of a change."""
    mistakes = read(model, after)[1]
    if not mistakes:
        return []
    old = {(mistake.path, mistake.message) for mistake in read(model, before)[1]}
    return [_problem(model, mistake) for mistake in mistakes if (mistake.path, mistake.message) not in old]


def _problem(model: type[Namespace], mistake: Mistake) -> Problem:
    path = path_text(("settings", *mistake.path))
    if mistake.entry is None:
        return Problem("unknown-key", path, 0, "unknown key", _suggestion(model, mistake))
    return Problem("bad-value", path, 0, mistake.message, _allowed(mistake.entry))


def _allowed(entry: Setting) -> str:
    """Say what a setting takes. Examples of secrets are made up, like all others."""
    words = [str(entry.note("allowed"))] if entry.note("allowed") else []
    if entry.example not in ({}, None) and len(example := msgspec.json.encode(entry.example).decode()) <= 80:
        words.append(f"for example {example}")
    return "; ".join(words)


def _suggestion(model: type[Namespace], mistake: Mistake) -> str:
    meant = suggestion(model, mistake)
    return f"did you mean {meant}?" if meant else "GET /settings/schema has all settings"
