# SPDX-License-Identifier: Apache-2.0 OR MIT
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinwheel.api.problem import ApiError
from pinwheel.node.api import pending as module
from pinwheel.node.api.pending import Pending, Transactions

KEYS = st.sampled_from("abc")
DOCUMENTS = st.recursive(
    st.dictionaries(KEYS, st.integers(0, 3) | st.lists(st.integers(0, 3), max_size=2), max_size=3),
    lambda inner: st.dictionaries(KEYS, inner | st.integers(0, 3), max_size=3),
    max_leaves=6,
)
PATCHES = st.recursive(
    st.dictionaries(KEYS, st.integers(0, 3) | st.none(), max_size=3),
    lambda inner: st.dictionaries(KEYS, inner | st.integers(0, 3) | st.none(), max_size=3),
    max_leaves=6,
)


def merged(document: Any, patch: Any) -> Any:
    """RFC 7396, as its section 2 has it."""
    if not isinstance(patch, dict):
        return patch
    result = dict(document) if isinstance(document, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def without(document: Any, path: tuple[str, ...]) -> Any:
    if not isinstance(document, dict) or path[0] not in document:
        return document
    rest = {key: value for key, value in document.items() if key != path[0]}
    return {**rest, path[0]: without(document[path[0]], path[1:])} if path[1:] else rest


@given(DOCUMENTS, st.lists(PATCHES, max_size=4))
def test_patches_one_after_the_other_are_one_change_of_the_same_effect(document: Any, patches: list[Any]) -> None:
    expected, together = document, Pending({})
    for patch in patches:
        expected, together = merged(expected, patch), together.with_patch(patch)
    changed = document
    for path in together.unset:
        changed = without(changed, path)
    assert merged(changed, together.patch) == expected


def test_a_transaction_is_kept_for_its_service_alone(tmp_path: Path) -> None:
    transactions = Transactions(tmp_path / "tx")
    assert transactions.names() == []
    transactions.put("default", Pending({"motd": "x"}, (("a", "b"),)))
    assert Transactions(tmp_path / "tx").get("default") == Pending({"motd": "x"}, (("a", "b"),))
    assert transactions.names() == ["default"]
    assert (tmp_path / "tx/default.json").stat().st_mode & 0o777 == 0o600
    transactions.delete("default")
    transactions.delete("default")
    assert transactions.get("default") == Pending({})


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", ".hidden", "x" * 65, "a b", "a\n", "ä"])
def test_a_name_that_could_be_another_place_is_none(tmp_path: Path, name: str) -> None:
    transactions = Transactions(tmp_path)
    for use in (transactions.get, transactions.delete, transactions.lock):
        with pytest.raises(ApiError, match="no name of a transaction"):
            use(name)


def test_there_is_an_end_to_how_many_and_how_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_TRANSACTIONS", 2)
    transactions = Transactions(tmp_path)
    transactions.put("one", Pending({"a": 1}))
    transactions.put("two", Pending({"a": 1}))
    transactions.put("two", Pending({"a": 2}))
    with pytest.raises(ApiError) as caught:
        transactions.put("three", Pending({"a": 1}))
    assert caught.value.status == 429
    with pytest.raises(ApiError) as caught:
        transactions.put("one", Pending({"a": "x" * module.MAX_BYTES}))
    assert caught.value.status == 413
