# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The application: a request to an answer. Whatever goes wrong becomes an answer too, in one shape."""

import sys
import traceback
from importlib import import_module

from pinwheel.api.problem import ApiError, one
from pinwheel.node.api.message import Request, Response
from pinwheel.node.api.node import Handler, Node
from pinwheel.node.api.router import MethodError, route

HANDLERS: dict[str, tuple[str, ...]] = {
    "settings": ("get_model", "get_settings", "get_schema", "get_os"),
    "metadata": (
        "get_affected_services",
        "get_setting_generators",
        "get_templates",
        "get_services",
        "get_configuration_files",
        "get_openapi",
        "list_reports",
    ),
    "changes": ("patch_settings", "patch_key_pairs", "delete_settings", "apply_settings", "diff_settings"),
    "history": (
        "list_generations",
        "get_generation",
        "diff_generation",
        "rollback",
        "confirm_trial",
        "revert_trial",
    ),
    "transactions": (
        "get_transaction",
        "delete_transaction",
        "list_transactions",
        "commit_transaction",
        "apply_transaction",
        "commit_and_apply",
    ),
    "system": ("get_status", "get_containers", "reboot", "poweroff", "make_support_bundle"),
    "logs": ("get_logs", "get_events"),
    "metrics": ("get_metrics",),
    "exec": ("exec",),
}
"""The module of `handlers` that has the function of each endpoint; both have the endpoint's name."""

_MODULES = {name: module for module, names in HANDLERS.items() for name in names}


class App:
    """Answers requests for one node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._handlers: dict[str, Handler] = {}

    async def __call__(self, request: Request) -> Response:
        """Answer a request; never raises."""
        response = await self._answer(request)
        self._node.answered[response.status] += 1
        return response

    async def _answer(self, request: Request) -> Response:
        try:
            asked = route(request)
            return await self._handler(asked.endpoint.name)(self._node, asked)
        except MethodError as error:
            return Response(error.status, error.body, headers=error.headers)
        except ApiError as error:
            return Response(error.status, error.body)
        except Exception:  # noqa: BLE001 - a mistake of ours costs one answer, and not the others'
            traceback.print_exc(file=sys.stderr)
            own = one(500, "internal", "the node made a mistake", hint="its journal says more: GET /logs")
            return Response(own.status, own.body)

    def _handler(self, name: str) -> Handler:
        handler = self._handlers.get(name)
        if handler is None:
            module = import_module(f"pinwheel.node.api.handlers.{_MODULES[name]}")
            handler = self._handlers[name] = getattr(module, name)
        return handler
