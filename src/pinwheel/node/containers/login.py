# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Getting in at a registry: what it asks for in WWW-Authenticate, and the token that its login service gives.

Protocol: https://distribution.github.io/distribution/spec/auth/token/ and .../auth/oauth/
"""

import json
import re
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from pinwheel.node.containers.access import Login
from pinwheel.node.containers.http import TRANSIENT, Http, UnreachableError
from pinwheel.node.containers.oci import ImageError

_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
_MAX_ANSWER = 1024 * 1024
_OK = 200


class DeniedError(ImageError):
    """The registry does not let us in. Trying again gives the same."""


class Challenge(NamedTuple):
    """What a registry asks for (RFC 9110, section 11.6.1)."""

    scheme: str
    """In lower case: `basic` or `bearer`."""
    parameters: dict[str, str]


def read_challenge(header: str) -> Challenge:
    """Read a WWW-Authenticate header; of several challenges, the first."""
    scheme, _, rest = header.strip().partition(" ")
    found = {name.lower(): re.sub(r"\\(.)", r"\1", quoted) or plain for name, quoted, plain in _PARAMETER.findall(rest)}
    return Challenge(scheme.lower(), found)


def authorization(http: Http, challenge: Challenge, login: Login | None, scope: str, *, insecure: bool) -> str:
    """Give the value of the Authorization header that a registry asks for.

    Args:
        http: asks the login service.
        challenge: what the registry asks for.
        login: whose name to use; None for nobody's.
        scope: what for, where the registry does not say it: `repository:NAME:pull`.
        insecure: whether the registry may be reached over plain HTTP, and its login service, too.

    Raises:
        DeniedError: there is no way in.
        UnreachableError: the login service did not answer.
    """
    if challenge.scheme == "basic":
        if login is None:
            raise DeniedError("the registry asks for a name and a password, and the settings have none for it")
        return login.basic
    if challenge.scheme != "bearer" or "realm" not in challenge.parameters:
        raise DeniedError(f"the registry asks for something unknown: {challenge.scheme!a:.50}")
    return f"Bearer {_token(http, challenge.parameters, login, scope, insecure=insecure)}"


def _token(http: Http, asked: dict[str, str], login: Login | None, scope: str, *, insecure: bool) -> str:
    realm = asked["realm"]
    if urlsplit(realm).scheme != "https" and not (insecure and urlsplit(realm).scheme == "http"):
        raise DeniedError(f"the registry's login service is not at a safe address: {realm!a:.200}")
    fields = {"service": asked.get("service", ""), "scope": asked.get("scope") or scope}
    if login and login.refresh_token:
        form = fields | {"grant_type": "refresh_token", "refresh_token": login.refresh_token, "client_id": "pinwheel"}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return _fetch(http, "POST", realm, headers, urlencode(form).encode())
    headers = {"Authorization": login.basic} if login else {}
    separator = "&" if urlsplit(realm).query else "?"
    return _fetch(http, "GET", f"{realm}{separator}{urlencode(fields)}", headers, None)


def _fetch(http: Http, method: str, url: str, headers: dict[str, str], body: bytes | None) -> str:
    with http.request(method, url, headers, body) as answer:
        if answer.status in TRANSIENT:
            raise UnreachableError(f"the registry's login service answers {answer.status}")
        if answer.status != _OK:
            raise DeniedError(f"the registry's login service answers {answer.status}: are the credentials right?")
        content = answer.read(_MAX_ANSWER)
    try:
        document = json.loads(content)
        token = document.get("token") or document.get("access_token")
    except (ValueError, AttributeError, RecursionError):
        token = None
    if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]+", token):
        raise DeniedError("the registry's login service gives no token")
    return token
