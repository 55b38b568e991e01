# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Keep pydantic's search for plugins out of the node's start.

The search imports `importlib.metadata` and with it the mail and zip packages of the standard library: 20 of the 160 ms
that the settings cost (Python 3.11, pydantic 2.14). A node has no plugins, and looking for code to run by metadata on
disk is nothing a node should do. Import this before anything of pydantic.
"""

import os
import sys
from types import ModuleType

os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"

if "importlib.metadata" not in sys.modules and "pydantic" not in sys.modules:
    _stand_in = ModuleType("importlib.metadata")
    _stand_in.entry_points = lambda **_: ()  # type: ignore[attr-defined]
    sys.modules["importlib.metadata"] = _stand_in
    import pydantic.plugin._loader  # noqa: F401

    del sys.modules["importlib.metadata"]  # whoever really wants it gets the real one
