# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The setting that was probably meant by a key that does not exist."""

from pinwheel.settings.model import Namespace, children, walk
from pinwheel.settings.problem import path_text
from pinwheel.settings.reading import Mistake


def suggestion(model: type[Namespace], mistake: Mistake) -> str:
    """Give the known key that is most like an unknown one, or the path of one that has its name elsewhere; or nothing.

    Args:
        model: the root of the settings.
        mistake: one that is about an unknown key.
    """
    import difflib  # costs start time, and most documents are right

    key = str(mistake.path[-1])[:80]
    elsewhere = [entry.path for entry in walk(model) if entry.path[-1] == key]
    here = list(children(mistake.table)) if mistake.table else []
    near = difflib.get_close_matches(key, here, n=1, cutoff=0.8 if elsewhere else 0.6)
    return near[0] if near else path_text(("settings", *elsewhere[0])) if elsewhere else ""
