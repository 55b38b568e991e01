# SPDX-License-Identifier: Apache-2.0 OR MIT
import multiprocessing
import os
import random
import signal
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinwheel.node.actuator.protocol import Author
from pinwheel.node.generations.generation import Draft, decoded, encoded
from pinwheel.node.generations.store import KEPT, Store

AUTHOR = Author(kind="local", uid=0, pid=1)
JSON = st.recursive(st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(), lambda inner: st.lists(inner))


def draft(motd: str = "hello", *, trial: bool = False) -> Draft:
    return Draft(AUTHOR, "set", {"motd": motd}, trial=trial, changes=["settings.motd"])


def test_an_empty_directory_has_no_current_generation(tmp_path: Path) -> None:
    assert Store(tmp_path / "none").current() is None


def test_the_newest_generation_is_current_and_knows_its_parent(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first = store.add(draft("one"), 0)
    second = store.add(draft("two"), first.number)
    current = Store(tmp_path).current()
    assert current == second
    assert (current.number, current.parent, current.settings, current.author) == (2, 1, {"motd": "two"}, AUTHOR)
    assert current.changes == ["settings.motd"]


def test_a_trial_is_never_current(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(draft("kept"), 0)
    trial = store.add(draft("tried", trial=True), 1)
    current = store.current()
    assert current is not None
    assert current.settings == {"motd": "kept"}
    assert store.get(trial.number).trial


def test_files_are_roots_alone(tmp_path: Path) -> None:
    store = Store(tmp_path / "generations")
    store.add(draft(), 0)
    assert (tmp_path / "generations").stat().st_mode & 0o777 == 0o700
    assert [file.stat().st_mode & 0o777 for file in (tmp_path / "generations").glob("*.json")] == [0o600]


@pytest.mark.parametrize("damage", [b"", b'{"schema":1', b"\0" * 300, b"[]\n", b'{"schema":2,"number":2}\n'])
def test_a_damaged_newest_file_leaves_the_one_before_and_is_named(tmp_path: Path, damage: bytes) -> None:
    store = Store(tmp_path)
    store.add(draft("good"), 0)
    store.add(draft("bad"), 1)
    (tmp_path / "0000000002.json").write_bytes(damage)
    current = store.current()
    assert current is not None
    assert current.settings == {"motd": "good"}
    assert list(store.damaged) == [2]
    assert store.add(draft("next"), 1).number == 3  # what is damaged is never written over


def test_a_missing_generation_is_a_key_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        Store(tmp_path).get(7)


def test_old_generations_go_and_the_one_to_fall_back_to_stays(tmp_path: Path) -> None:
    store = Store(tmp_path)
    kept = store.add(draft("kept"), 0)
    for _ in range(KEPT + 20):
        store.add(draft("tried", trial=True), kept.number)
    assert len(store.numbers()) <= KEPT + 1
    assert store.current() == kept


def test_other_files_in_the_directory_are_not_generations(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.add(draft(), 0)
    for name in (".0000000009.json.12.new", "readme.json", "12.txt", "٣.json"):
        (tmp_path / name).write_text("x")
    assert store.numbers() == [1]


@given(document=st.dictionaries(st.text(), JSON), reason=st.text())
@settings(max_examples=50, deadline=None)
def test_what_is_written_is_what_is_read(document: dict[str, object], reason: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as directory:
        store = Store(Path(directory))
        added = store.add(Draft(AUTHOR, reason, document), 0)
        assert store.get(1) == added == decoded(encoded(added))


def _commit_forever(directory: Path) -> None:
    store = Store(directory)
    count = 0
    while True:
        with store.lock():
            current = store.current()
            number = current.number if current else 0
            store.add(Draft(AUTHOR, "set", {"motd": f"{number + 1}", "padding": "x" * (count % 5000)}), number)
        count += 1


def test_killed_at_random_instants_no_generation_is_lost_or_torn(tmp_path: Path) -> None:
    seed = int(os.environ.get("PINWHEEL_SEED", time.time_ns() % 2**32))
    print(f"PINWHEEL_SEED={seed}")
    chance = random.Random(seed)
    reached = 0
    for _ in range(12):
        process = multiprocessing.get_context("fork").Process(target=_commit_forever, args=(tmp_path,))
        process.start()
        time.sleep(chance.uniform(0.01, 0.15))
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        store = Store(tmp_path)
        numbers = store.numbers()
        assert numbers[-1:] >= [reached]  # what was there stays
        for number in numbers:
            assert store.get(number).settings["motd"] == str(number)
        assert not store.damaged
        reached = numbers[-1] if numbers else 0
    assert reached > 12
