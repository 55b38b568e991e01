# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Transactions: what is in them, and their end."""

from typing import Any

from pinwheel.api.problem import one
from pinwheel.node.api.handlers.changes import as_change, check
from pinwheel.node.api.message import NO_CONTENT, Asked, Response, answer_json, generation_header
from pinwheel.node.api.node import Node
from pinwheel.node.api.pending import Document, Pending, leaves


async def get_transaction(node: Node, asked: Asked) -> Response:
    """What a transaction holds, as it may be shown."""
    pending = node.transactions.get(asked.parameters["tx"])
    if not pending.patch:
        return answer_json({})
    changes = (await check(node, pending))["changes"]
    return answer_json(_shown(pending, changes, node.view.read().what_is_set))


def _shown(pending: Pending, changes: list[dict[str, Any]], what_is_set: Document) -> Document:
    """Give a patch without its secrets: what it changes as the actuator shows it, all else as the view does."""
    from pinwheel.settings.problem import path_text

    new = {change["path"]: change["new"] for change in changes}
    shown: Document = {}
    for path, value in leaves(pending.patch):
        hidden = new.get(path_text(("settings", *path)), _at(what_is_set, path)) if value is not None else None
        for key in reversed(path):
            hidden = {key: hidden}
        shown = Pending(shown).with_patch(hidden or {}).patch
    return shown


def _at(document: Document, path: tuple[str, ...]) -> Any:  # noqa: ANN401 - any value
    value: Any = document
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


async def delete_transaction(node: Node, asked: Asked) -> Response:
    """Forget a transaction, and say what was in it."""
    name = asked.parameters["tx"]
    async with node.transactions.lock(name):
        pending = node.transactions.get(name)
        node.transactions.delete(name)
    return answer_json(_keys(pending))


def _keys(pending: Pending) -> list[str]:
    from pinwheel.settings.problem import path_text

    return sorted({path_text(("settings", *path)) for path, _ in leaves(pending.patch)})


async def list_transactions(node: Node, _asked: Asked) -> Response:
    """The names of those that hold something."""
    return answer_json(node.transactions.names())


async def commit_transaction(node: Node, asked: Asked) -> Response:
    """Make a generation of a transaction."""
    return await _commit(node, asked, {"apply": False})


async def commit_and_apply(node: Node, asked: Asked) -> Response:
    """Make a generation of a transaction, and put it into effect."""
    parameters = asked.parameters
    return await _commit(node, asked, {"dry_run": parameters["dry_run"], "try_seconds": parameters["try"] or 0})


async def _commit(node: Node, asked: Asked, options: dict[str, Any]) -> Response:
    from pinwheel.node.actuator.protocol import Author, Commit

    name, author = asked.parameters["tx"], Author(**asked.client.author)
    async with node.transactions.lock(name):
        pending = node.transactions.get(name)
        if not pending.patch:
            hint = "PATCH /settings puts something into it"
            raise one(422, "nothing-pending", f"the transaction {name} holds nothing", hint=hint)
        commit = Commit(as_change(pending), author, asked.parameters["reason"] or "set", **options)
        result = await node.ask(commit)
        if not options.get("dry_run"):
            node.transactions.delete(name)
    paths = [change["path"] for change in result["changes"]]
    return answer_json(paths, headers=generation_header(result["generation"]))


async def apply_transaction(node: Node, asked: Asked) -> Response:
    """Put the newest generation into effect."""
    from pinwheel.node.actuator.protocol import Apply

    await node.ask(Apply(asked.parameters["keys"] or []))
    return NO_CONTENT
