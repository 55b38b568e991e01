# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Entry points that show what the launcher made of the world; compiled and run as the node's services are."""

import contextlib
import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import msgspec


class Model(msgspec.Struct):
    number: int


def _flags() -> dict[str, Any]:
    names = [name for name in dir(sys.flags) if not name.startswith(("_", "n_")) and name not in {"count", "index"}]
    return {name: getattr(sys.flags, name) for name in names}


def report() -> None:
    msgspec.convert({"number": "1"}, Model, strict=False)
    with contextlib.suppress(ImportError):  # there is no debugger
        breakpoint()  # noqa: T100 - what PYTHONBREAKPOINT names would run here
    specs = [getattr(module, "__spec__", None) for module in list(sys.modules.values())]
    seen = {
        "flags": _flags(),
        "argv": sys.argv,
        "path": sys.path,
        "executable": sys.executable,
        "prefixes": [sys.prefix, sys.exec_prefix, sys.base_prefix],
        "environment": dict(os.environ),
        "working directory": str(Path.cwd()),
        "hooks": [getattr(hook, "__name__", "") for hook in sys.path_hooks],
        "origins": sorted(spec.origin for spec in specs if spec and spec.origin and spec.origin.startswith("/")),
        "modules": sorted(sys.modules),
    }
    print(json.dumps(seen))


def nothing() -> None:
    pass


def number() -> int:
    return 9


def leave() -> None:
    raise SystemExit("left early")


def fail() -> None:
    raise ValueError("this is shown")


def stray() -> None:
    """Try to import from elsewhere, as a mistake or injected code might."""
    refused = []
    above = "/usr/lib/pinwheel/python/../../../../tmp/attack"
    for place in ("/tmp/attack", "/tmp/attack/evil.zip", "", ".", above):
        sys.path.insert(0, place)
        sys.path_importer_cache.clear()
        try:
            importlib.import_module("evil")
        except ImportError:
            refused.append(place)
    print(json.dumps(refused))
