# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The settings of Amazon's cloud. Names are Bottlerocket's."""

from __future__ import annotations  # see `pinwheel.settings.model`: evaluated when a document has the table

import re
from typing import Annotated

from pinwheel.settings.model import Check, Namespace, setting
from pinwheel.settings.types import SecretBase64


def _region(text: str) -> str:
    if not re.fullmatch(r"[a-z]{2,4}(?:-[a-z]{2,12}){1,3}-\d{1,2}", text):
        raise ValueError("not a region such as eu-central-1")
    return text


def _profile(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._@:/-]{1,128}", text):
        raise ValueError("not the name of a profile")
    return text


class Aws(Namespace, frozen=True):
    """Amazon's cloud, as the engine's log driver `awslogs` sees it."""

    region: Annotated[
        Annotated[str, Check(_region)] | None,
        setting("The region. Without it, the one that the node is in.", example="eu-central-1", allowed="a region"),
    ] = None
    profile: Annotated[
        str,
        Check(_profile),
        setting("Which profile of `config` and `credentials` is used.", example="default", allowed="a profile's name"),
    ] = "default"
    config: Annotated[
        SecretBase64 | None,
        setting("The file `~/.aws/config`.", example="W2RlZmF1bHRdCg==", allowed="encoded in base64"),
    ] = None
    credentials: Annotated[
        SecretBase64 | None,
        setting("The file `~/.aws/credentials`.", example="W2RlZmF1bHRdCg==", allowed="encoded in base64"),
    ] = None
