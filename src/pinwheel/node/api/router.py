# SPDX-License-Identifier: Apache-2.0 OR MIT
"""From a request to its endpoint: path, method, role, parameters. All that can be said without doing anything."""

from pinwheel.api.endpoint import Endpoint, find
from pinwheel.api.endpoints import ENDPOINTS
from pinwheel.api.problem import ApiError, one
from pinwheel.node.api.message import Asked, Header, Request
from pinwheel.node.api.peer import may
from pinwheel.node.api.query import read_query

_FIXED: dict[tuple[str, str], Endpoint] = {
    (endpoint.method, endpoint.path): endpoint for endpoint in ENDPOINTS if "{" not in endpoint.path
}


class MethodError(ApiError):
    """The path is there, but has no such method."""

    def __init__(self, request: Request, methods: list[str]) -> None:
        allowed = ", ".join(methods)
        problem = one(405, "wrong-method", f"no {request.method[:20]} here", hint=f"there is: {allowed}")
        super().__init__(405, problem.message, problem.problems)
        self.headers: tuple[Header, ...] = ((b"allow", allowed.encode()),)


def route(request: Request) -> Asked:
    """Find what a request asks for.

    Raises:
        ApiError: there is no such thing, the client may not, a parameter is wrong, or it comes with a later version.
    """
    if request.header(b"origin"):
        raise one(403, "browser", "web pages may not ask", hint="use a client that is no browser")
    path, _, query = request.target.partition("?")
    endpoint, numbers = _find(request, path)
    if not may(request.client, endpoint.role):
        has = request.client.role or "none"
        message = f"this needs the role {endpoint.role}; the client's is {has}"
        raise one(403, "role", message, hint="the role is the O of the certificate's subject: O=pinwheel:admin")
    if endpoint.later:
        raise one(501, "later", f"{endpoint.summary}: not in this version", hint=f"planned: {endpoint.later}")
    return Asked(endpoint, request, numbers, read_query(endpoint, query))


def _find(request: Request, path: str) -> tuple[Endpoint, dict[str, int]]:
    fixed = _FIXED.get((request.method, path))
    if fixed:
        return fixed, {}
    found = list(find(ENDPOINTS, path))
    if not found:
        raise one(404, "no-such-path", f"there is no {path[:100]!a}", hint="GET /openapi.json has all paths")
    for endpoint, numbers in found:
        if endpoint.method == request.method:
            return endpoint, numbers
    raise MethodError(request, sorted(endpoint.method for endpoint, _ in found))
