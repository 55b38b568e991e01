# SPDX-License-Identifier: Apache-2.0 OR MIT
"""A variant's own Python packages: settings and consumers that it adds to those of every node (docs/variants.md).

`image.toml` names them. Their sources are in the variant's directory `python/`, or in wheels that the variant's
`requirements.txt` names with their hashes.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pinwheel.errors import UsageFault
from pinwheel.image.api_description import write_api_description
from pinwheel.image.tree import DEFINITION
from pinwheel.paths import PROJECT

EXTENSIONS = "usr/share/pinwheel/extensions.json"
"""Where the node reads their names (`pinwheel.node.services.extensions`)."""
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_RESERVED = frozenset({"pinwheel", *sys.stdlib_module_names})

_DESCRIBE = """
import sys
from pathlib import Path
from pinwheel.image.api_description import write_api_description
from pinwheel.node.services.extensions import with_extensions
write_api_description(Path(sys.argv[1]), with_extensions(sys.argv[2:]).model)
"""
"""Run in a process of its own: the build imports nothing of the node's, and no package of somebody else's."""


@dataclass(frozen=True)
class SettingsPackages:
    """What a variant adds."""

    names: tuple[str, ...] = ()
    """As they are imported."""
    sources: Path | None = None
    """The directory that packages are in."""
    lock: Path | None = None
    """The requirements file of wheels, with hashes."""


NOTHING = SettingsPackages()


def settings_packages(variant: str, names: Sequence[str]) -> SettingsPackages:
    """Give the packages that a variant names.

    Raises:
        UsageFault: a name is none, or is that of another package.
    """
    for name in names:
        if not _NAME.fullmatch(name) or name in _RESERVED:
            raise UsageFault(
                f"settings-packages: {name!r} cannot be the name of a package",
                "use small letters, digits and _, and no name of Python's own",
            )
    directory = DEFINITION / f"mkosi.profiles/{variant}"
    sources, lock = directory / "python", directory / "requirements.txt"
    return SettingsPackages(tuple(names), sources if sources.is_dir() else None, lock if lock.is_file() else None)


def write_description(root: Path, packages: SettingsPackages) -> None:
    """Write what the node and its clients have to know of the packages below `root`: names, API, schema.

    Raises:
        UsageFault: they do not fit to each other or to what there is; the message says what is wrong.
    """
    if not packages.names:
        write_api_description(root)
        return
    search = [str(PROJECT / "src"), *([str(packages.sources)] if packages.sources else [])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(search)}
    command = [sys.executable, "-c", _DESCRIBE, str(root), *packages.names]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        words = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise UsageFault(f"settings-packages: {words}", "docs/variants.md says what a package must have")
    file = root / EXTENSIONS
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"packages": list(packages.names)}) + "\n")
