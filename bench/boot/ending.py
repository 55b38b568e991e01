# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A bench that somebody ends takes its machines and its registry with it: a signal unwinds it as an error would."""

import signal
import sys
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, `kill` or a service manager, and a terminal that is closed."""
_SIGNALLED = 128
"""What a shell adds to a signal's number to make an exit code."""


def unwind_on_signals() -> None:
    """Have the signals that ask to end raise `SystemExit` in the main thread: whoever started something cleans up."""
    for one in ENDING:
        signal.signal(one, _unwind)


def _unwind(number: int, _frame: FrameType | None) -> None:
    for one in ENDING:  # whoever asks again waits for the clean-up instead of cutting it short
        signal.signal(one, signal.SIG_IGN)
    sys.exit(_SIGNALLED + number)
