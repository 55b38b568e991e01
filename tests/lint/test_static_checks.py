# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Linters are tests: what they find fails like anything else."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "tool",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy"],
    ],
    ids=["ruff-check", "ruff-format", "mypy-strict"],
)
def test_static_check_finds_nothing(tool: list[str]) -> None:
    # ruff ships a program beside the interpreter, and a module that starts it.
    done = subprocess.run([sys.executable, "-m", *tool], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_import_contracts_are_kept() -> None:
    # import-linter has a program beside the interpreter, and no module that starts it: run as one, it does nothing.
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    environment = os.environ | {"PYTHONPATH": str(PROJECT / "src")}
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Contracts: [1-9]\d* kept, 0 broken", done.stdout)


def test_every_source_file_names_its_licence() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    files = [
        PROJECT / name for name in listed.split("\n") if name.endswith((".py", ".c", ".toml", ".conf", ".service"))
    ]
    missing = [file for file in files if file.exists() and "SPDX-License-Identifier" not in file.read_text()[:400]]
    assert missing == []
