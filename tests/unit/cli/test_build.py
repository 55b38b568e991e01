# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What `pinwheel build` refuses."""

import typer
from typer.testing import CliRunner

from pinwheel.cli import build as verb
from pinwheel.errors import PinwheelError, UsageFault

app = typer.Typer(pretty_exceptions_enable=False)
verb.add_to(app)


def refusal(*words: str) -> PinwheelError:
    result = CliRunner().invoke(app, words)
    assert isinstance(result.exception, PinwheelError)
    return result.exception


def test_locked_and_update_lock_exclude_each_other() -> None:
    error = refusal("--locked", "--update-lock")
    assert isinstance(error, UsageFault)
    assert "--update-lock" in error.message


def test_qcow2_needs_a_place_to_write_to() -> None:
    error = refusal("--format", "qcow2")
    assert isinstance(error, UsageFault)
    assert error.hint == "add --output DIR"


def test_unknown_format_is_wrong_usage() -> None:
    assert CliRunner().invoke(app, ["--format", "vmdk"]).exit_code == 2
