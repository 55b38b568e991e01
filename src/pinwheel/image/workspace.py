# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Where something is made that is to be there whole or not at all: a directory beside its place in the cache."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pinwheel.image.host import as_root, is_root


@contextmanager
def workspace_beside(target: Path) -> Iterator[Path]:
    """Give an empty directory on the file system of `target`, so that what is made in it is moved there in one step.

    It is gone afterwards, with all that was not moved.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    workspace = Path(tempfile.mkdtemp(dir=target.parent, prefix=".new-"))
    try:
        workspace.chmod(0o755)
        yield workspace
    finally:
        remove_tree(workspace)


def remove_tree(tree: Path) -> None:
    """Remove a tree that may hold files of the user's subordinate ids."""
    if is_root():
        shutil.rmtree(tree, ignore_errors=True)
    else:
        subprocess.run(as_root(["rm", "-rf", "--", str(tree)]), check=False)
