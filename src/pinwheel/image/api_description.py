# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What the image's API says about itself: OpenAPI, and the schema of the settings. Made at build, served as it is.

The node's own code never imports what makes them.
"""

from pathlib import Path

from pinwheel import __version__
from pinwheel.api.openapi import openapi, text
from pinwheel.settings.schema import settings_schema
from pinwheel.settings.tree import Settings

DIRECTORY = "usr/share/pinwheel"
OPENAPI = f"{DIRECTORY}/openapi.json"
SCHEMA = f"{DIRECTORY}/settings.schema.json"


def write_api_description(root: Path, model: type[Settings] = Settings) -> None:
    """Write both files below `root`, for the settings that the image knows."""
    (root / DIRECTORY).mkdir(parents=True, exist_ok=True)
    (root / OPENAPI).write_text(text(openapi(model, __version__)))
    (root / SCHEMA).write_text(text(settings_schema(model)))
