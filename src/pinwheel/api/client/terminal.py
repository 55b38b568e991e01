# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The terminal of this side, while a command on a node has it."""

import os
import signal
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NamedTuple


class Size(NamedTuple):
    """A window's size, in characters."""

    rows: int
    columns: int


def is_terminal(descriptor: int) -> bool:
    """Whether somebody types there; also when the descriptor is closed, which is no terminal."""
    try:
        return os.isatty(descriptor)
    except OSError:
        return False


def window_size(descriptor: int) -> Size:
    """Give a terminal's size; what a terminal without a size is taken to have."""
    try:
        found = os.get_terminal_size(descriptor)
    except OSError:
        return Size(24, 80)
    return Size(found.lines or 24, found.columns or 80)


@contextmanager
def raw_mode(descriptor: int) -> Iterator[None]:
    """Have every key go to the command, Ctrl-C included, until the block ends."""
    before = termios.tcgetattr(descriptor)
    tty.setraw(descriptor, termios.TCSANOW)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


@contextmanager
def on_resize(call: Callable[[], None]) -> Iterator[None]:
    """Call a function when the window's size changes, until the block ends."""

    def changed(_signal: int, _frame: FrameType | None) -> None:
        call()

    before = signal.signal(signal.SIGWINCH, changed)
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)
