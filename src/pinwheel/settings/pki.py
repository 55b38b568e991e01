# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The settings of certificates that the node trusts."""

from __future__ import annotations  # see `pinwheel.settings.model`: evaluated when a document has the table

from collections.abc import Iterator
from typing import Annotated

from pinwheel.settings.model import Conflict, Namespace, setting
from pinwheel.settings.types import Certificates


class Bundle(Namespace, frozen=True):
    """Certificates of authorities."""

    data: Annotated[
        Certificates | None,
        setting(
            "The certificates.",
            example="LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1BPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=",
            allowed="PEM, encoded in base64",
        ),
    ] = None
    trusted: Annotated[
        bool,
        setting("Whether the node trusts them, beside the authorities that the image comes with.", example=True),
    ] = False

    def conflicts(self) -> Iterator[Conflict]:
        """See `Namespace.conflicts`: trust needs something to trust."""
        if self.trusted and self.data is None:
            yield "", "trusted, but without data"
