# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Write what is made from the table of endpoints anew: `python -m pinwheel.api`, in a checkout."""

from pathlib import Path

from pinwheel import __version__
from pinwheel.api.openapi import openapi, text
from pinwheel.api.reference import with_reference

DOCS = Path(__file__).resolve().parents[3] / "docs"


def main() -> None:
    """Write `docs/openapi.json` and the reference part of `docs/api.md`."""
    (DOCS / "openapi.json").write_text(text(openapi(version=__version__)))
    page = DOCS / "api.md"
    page.write_text(with_reference(page.read_text()))


if __name__ == "__main__":
    main()
