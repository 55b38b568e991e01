# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The table `settings.acme-agent`."""

from typing import Annotated

from msgspec import Meta

from pinwheel.settings.model import Namespace, setting
from pinwheel.settings.secret import Secret
from pinwheel.settings.types import Host


class Agent(Namespace, frozen=True):
    """The agent that reports to Acme."""

    server: Annotated[Host | None, setting("Where it reports to.", example="acme.example.com")] = None
    port: Annotated[int, Meta(ge=1, le=65535), setting("The server's port.", example=443, allowed="1 to 65535")] = 443
    token: Annotated[Secret | None, setting("What it shows the server.", example="s3cret")] = None
