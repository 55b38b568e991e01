# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Which generation is in effect: below /run, since nothing is in effect after a reboot but what boot applies anew."""

import msgspec

from pinwheel.node.files import write_atomically
from pinwheel.node.paths import IN_EFFECT, Paths


class Trial(msgspec.Struct, frozen=True):
    """A generation that has to be confirmed."""

    generation: int
    until: str
    """RFC 3339, UTC: when it is taken back by itself."""


class Applying(msgspec.Struct, frozen=True):
    """What is being put into effect."""

    generation: int
    keys: list[str] = []
    """The part of it; all of it without any."""
    is_new: bool = False
    """It was made for this, and is not to stay when it does not work."""


class InEffect(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the node runs on."""

    generation: int = 0
    """0: user data without a data partition, or nothing."""
    trial: Trial | None = None
    """The same generation, when it is on trial."""
    applying: Applying | None = None
    """Noted before anything is touched. What finds it at its start knows that a crash has cut this short."""


def read_in_effect(paths: Paths) -> InEffect:
    """Give what is in effect."""
    try:
        return msgspec.json.decode(paths.at(IN_EFFECT).read_bytes(), type=InEffect)
    except FileNotFoundError:
        return InEffect()


def write_in_effect(paths: Paths, state: InEffect) -> None:
    """Note what is in effect; raises OSError when it cannot be written."""
    write_atomically(paths.at(IN_EFFECT), msgspec.json.encode(state), 0o600)
