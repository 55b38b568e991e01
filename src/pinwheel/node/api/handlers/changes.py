# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Changes of settings: into a transaction, or at once. What they mean, the actuator says."""

from typing import Any

from pinwheel.api.problem import ApiError, Problem, one, problem
from pinwheel.node.api.body import Carried, document, read_body
from pinwheel.node.api.handlers.settings import paths_of, require
from pinwheel.node.api.message import NO_CONTENT, Asked, Response, answer_json, generation_header
from pinwheel.node.api.node import Node
from pinwheel.node.api.pending import Document, Pending

MAX_NUMBER = 20
"""Digits of what a key pair's text may be read as a number."""


async def patch_settings(node: Node, asked: Asked) -> Response:
    """Merge a document."""
    carried = await read_body(asked)
    return await _change(node, asked, document(carried), carried)


async def patch_key_pairs(node: Node, asked: Asked) -> Response:
    """Merge settings that are written as `key=value`."""
    carried = await read_body(asked)
    return await _change(node, asked, _from_pairs(carried.value), carried)


async def delete_settings(node: Node, asked: Asked) -> Response:
    """Unset settings."""
    keys = asked.parameters["keys"]
    paths = paths_of(keys)
    if () in paths:
        raise one(400, "bad-path", "all settings at once are unset by a rollback", path="keys")
    if asked.parameters["commit"]:
        return await _commit(node, asked, {"unset": keys})
    async with node.transactions.lock(asked.parameters["tx"]):
        pending = node.transactions.get(asked.parameters["tx"])
        known = Pending(node.view.read().what_is_set).with_patch(pending.patch).patch
        require(known, paths, keys, "nothing is set there")
        for path in paths:
            pending = pending.with_patch(_nested(path, None))
        await _keep(node, asked, pending)
    return NO_CONTENT


async def apply_settings(node: Node, asked: Asked) -> Response:
    """Take a whole document at once."""
    carried = await read_body(asked)
    change = {"patch": document(carried), "replace": asked.parameters["replace"]}
    return await _commit(node, asked, change, carried, "apply")


async def diff_settings(node: Node, asked: Asked) -> Response:
    """What a transaction would change, or what differs between two generations."""
    from pinwheel.node.actuator.protocol import DiffGenerations

    transaction, old, new = (asked.parameters[name] for name in ("tx", "from", "to"))
    if transaction and not old and not new:
        return answer_json((await check(node, node.transactions.get(transaction)))["changes"])
    if transaction or not (old and new):
        raise one(400, "bad-parameter", "either `tx`, or both `from` and `to`")
    return answer_json(await node.ask(DiffGenerations(old, new)))


async def _change(node: Node, asked: Asked, patch: Document, carried: Carried) -> Response:
    if asked.parameters["commit"]:
        return await _commit(node, asked, {"patch": patch}, carried)
    misplaced = [name for name in ("try", "dry_run", "reason") if asked.parameters[name]]
    if misplaced:
        raise one(400, "bad-parameter", f"`{misplaced[0]}` needs `commit=true`", path=misplaced[0])
    async with node.transactions.lock(asked.parameters["tx"]):
        pending = node.transactions.get(asked.parameters["tx"]).with_patch(patch)
        try:
            await _keep(node, asked, pending)
        except ApiError as error:
            raise with_lines(error, carried) from None
    return NO_CONTENT


async def _keep(node: Node, asked: Asked, pending: Pending) -> None:
    await check(node, pending)
    node.transactions.put(asked.parameters["tx"], pending)


async def check(node: Node, pending: Pending) -> dict[str, Any]:
    """Have a change looked at, and give what it would change; raises ApiError with all that is wrong."""
    from pinwheel.node.actuator.protocol import Check

    result: dict[str, Any] = await node.ask(Check(as_change(pending)))
    return result


def as_change(pending: Pending) -> Any:  # noqa: ANN401 - `Change` of a module that is not imported for readers
    """Give a transaction as the actuator takes it."""
    from pinwheel.node.actuator.protocol import Change
    from pinwheel.settings.problem import path_text

    return Change(pending.patch, [path_text(path) for path in pending.unset])


async def _commit(
    node: Node, asked: Asked, change: dict[str, Any], carried: Carried | None = None, reason: str = "set"
) -> Response:
    from pinwheel.node.actuator.protocol import Author, Change, Commit

    parameters = asked.parameters
    request = Commit(
        change=Change(**change),
        author=Author(**asked.client.author),
        reason=parameters["reason"] or reason,
        dry_run=parameters["dry_run"],
        try_seconds=parameters["try"] or 0,
    )
    try:
        result = await node.ask(request)
    except ApiError as error:
        raise with_lines(error, carried) from None
    return answer_json(result, headers=generation_header(result["generation"]))


def with_lines(error: ApiError, carried: Carried | None) -> ApiError:
    """Add the lines of a TOML body to what is wrong in it."""
    if carried is None or not carried.toml:
        return error
    from pinwheel.settings.positions import line_of, positions

    found = positions(carried.toml.replace("\r\n", "\n"))
    outer = ("settings",) if ("settings",) in found else ()

    def placed(one_problem: Problem) -> Problem:
        try:
            keys = paths_of([str(one_problem["path"]).partition("[")[0]])[0] if one_problem["path"] else ()
        except ApiError:
            keys = ()
        return one_problem | {"line": one_problem["line"] or line_of(found, (*outer, *keys))}

    return ApiError(error.status, error.message, [placed(entry) for entry in error.problems])


def _from_pairs(pairs: Any) -> Document:  # noqa: ANN401 - whatever a client sent
    if not isinstance(pairs, list) or not all(isinstance(pair, str) for pair in pairs):
        raise one(400, "bad-value", "the body must be a list of texts `key=value`")
    result: Document = {}
    problems = []
    for pair in pairs:
        key, equals, text = pair.partition("=")
        try:
            path = paths_of([key])[0]
        except ApiError as error:
            problems += error.problems
            continue
        if not equals or not path:
            problems.append(problem("bad-pair", f"not `key=value`: {pair[:60]!a}", path=key[:100]))
            continue
        result = Pending(result).with_patch(_nested(path, typed(text))).patch
    if problems:
        raise ApiError(400, problems[0]["message"], problems)
    return result


def typed(text: str) -> bool | int | float | str:
    """Give what a text means: true or false, a whole number, a number, or itself."""
    if text in {"true", "false"}:
        return text == "true"
    if text.isascii() and text.isdigit() and len(text) < MAX_NUMBER and str(int(text)) == text:
        return int(text)
    try:
        number = float(text)
    except ValueError:
        return text
    return number if text == str(number) else text


def _nested(path: tuple[str, ...], value: Any) -> Document:  # noqa: ANN401 - any value
    for key in reversed(path):
        value = {key: value}
    result: Document = value
    return result
