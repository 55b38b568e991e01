# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What an image says about the process to start in it (OCI image specification 1.1, "Image Configuration")."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_MAX_ID = 2**32 - 2
_ACCOUNT = re.compile(r"(?P<user>[^:]+)(?::(?P<group>[^:]+))?")


class ImageConfigError(ValueError):
    """An image's configuration cannot be used."""


class ImageConfig(NamedTuple):
    """The part of an image's configuration that running it needs."""

    command: tuple[str, ...]
    """Entry point and its arguments."""
    environment: Mapping[str, str] = {}
    directory: str = "/"
    """Where it starts."""
    user: str = ""
    """`user`, `user:group`, names or numbers; empty for root."""

    @classmethod
    def from_document(cls, document: Any) -> Self:  # noqa: ANN401 - whatever a registry sent
        """Read an image's configuration; raises ImageConfigError when there is nothing to start in it."""
        config = (document.get("config") if isinstance(document, dict) else None) or {}
        words = [*_texts(config, "Entrypoint"), *_texts(config, "Cmd")]
        if not words:
            raise ImageConfigError("the image has neither an entry point nor a command")
        pairs = [variable.partition("=") for variable in _texts(config, "Env")]
        directory = _text(config, "WorkingDir") or "/"
        if not directory.startswith("/"):
            raise ImageConfigError(f"the image's working directory is not absolute: {directory!a:.100}")
        environment = {"PATH": DEFAULT_PATH} | {name: value for name, _, value in pairs}
        return cls(tuple(words), environment, directory, _text(config, "User"))


class Account(NamedTuple):
    """Whose process it is."""

    uid: int = 0
    gid: int = 0
    groups: tuple[int, ...] = ()
    """Further groups."""


def find_account(user: str, passwd: str, group: str) -> Account:
    """Resolve the user of an image.

    Args:
        user: as the image names it.
        passwd: the text of the image's /etc/passwd (passwd(5)); empty when it has none.
        group: the text of the image's /etc/group (group(5)).

    Raises:
        ImageConfigError: a name is in neither file.
    """
    match = _ACCOUNT.fullmatch(user or "0")
    if match is None:
        raise ImageConfigError(f"not a user: {user!a:.100}")
    entry = next((line for line in _lines(passwd, 4) if match["user"] in (line[0], line[2])), None)
    uid = _number(entry[2] if entry else match["user"], "user")
    if match["group"]:
        return Account(uid, _group_number(match["group"], group))
    members = tuple(int(line[2]) for line in _lines(group, 4) if entry and entry[0] in line[3].split(","))
    return Account(uid, _number(entry[3], "group") if entry else 0, members)


def _group_number(name: str, group: str) -> int:
    return _number(next((line[2] for line in _lines(group, 3) if line[0] == name), name), "group")


def _number(text: str, what: str) -> int:
    if not text.isdecimal() or int(text) > _MAX_ID:
        raise ImageConfigError(f"the image has no {what} {text!a:.100}")
    return int(text)


def _lines(text: str, fields: int) -> list[list[str]]:
    lines = (line.split(":") for line in text.splitlines())
    return [line for line in lines if len(line) >= fields and line[2].isdecimal()]


def _texts(config: dict[str, Any], key: str) -> list[str]:
    value = config.get(key) or []
    if not isinstance(value, list) or not all(isinstance(item, str) and "\0" not in item for item in value):
        raise ImageConfigError(f"the image's configuration is not valid: {key}")
    return value


def _text(config: dict[str, Any], key: str) -> str:
    value = config.get(key) or ""
    if not isinstance(value, str) or "\0" in value:
        raise ImageConfigError(f"the image's configuration is not valid: {key}")
    return value
