# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What is wrong with a node's user data, said so that it can be put right: where, what, and what was done instead."""

import re
from collections.abc import Iterable
from typing import NamedTuple

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


class Problem(NamedTuple):
    """One mistake. All texts are safe to print on a terminal, and hold no secret."""

    code: str
    """A fixed word for programs, such as `unknown-key` or `bad-value`."""
    path: str
    """The key, as in `settings.ntp.time-servers[1]`; empty when the document as a whole is meant."""
    line: int
    """The line in the user data, from 1; 0 when the problem has no line."""
    message: str
    hint: str
    """What the node did instead, or what to write."""

    def __str__(self) -> str:
        place = f"user data line {self.line}" if self.line else "user data"
        subject = f"{self.path}: " if self.path else ""
        return f"{place}: {subject}{self.message}" + (f" ({self.hint})" if self.hint else "")


def path_text(path: Iterable[str | int]) -> str:
    """Write a path as TOML would: dots between keys, quotes where a key needs them, `[n]` for an item of a list."""
    parts: list[str] = []
    for part in path:
        if isinstance(part, int):
            parts.append(f"[{part}]")
        else:
            parts.append(("." if parts else "") + (part if _BARE_KEY.fullmatch(part) else quoted(part)))
    return "".join(parts)


def quoted(text: str, limit: int = 60) -> str:
    """Quote a text of unknown origin in ASCII without control characters, cut to `limit` characters."""
    import json

    return json.dumps(text if len(text) <= limit else text[: limit - 3] + "...").replace("\x7f", "\\u007f")
