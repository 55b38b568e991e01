# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What the status says of bootstrap commands and containers; apart from them, as the status is asked at each boot."""

import json

from pinwheel.node.containers.places import BOOTSTRAP_RESULT
from pinwheel.node.paths import Paths


def stopping_reasons(paths: Paths) -> list[str]:
    """Give what keeps the engine from starting; nothing where nothing does."""
    try:
        document = json.loads(paths.at(BOOTSTRAP_RESULT).read_bytes())
    except (OSError, ValueError):
        return []
    return [f"the engine does not start: {stop}" for stop in document["stops"]]
