# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Ctrl-C for programs that tests start."""

import signal


def heed_ctrl_c() -> None:
    """Undo what a shell does to commands in its background, such as this test run, perhaps: they ignore Ctrl-C.

    To be run in the new process: `preexec_fn` of `subprocess`.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
