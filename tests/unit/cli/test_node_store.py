# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The nodes that were made known: what is kept of them, and for whose eyes."""

import stat
from pathlib import Path

import pytest

from pinwheel.cli.node_store import NewNode, NodeRecord, NodeStore, parse_address, parse_fingerprint
from pinwheel.errors import EnvironmentFault, UsageFault

FINGERPRINT = "sha256:" + "ab" * 32


@pytest.fixture
def nodes(tmp_path: Path) -> NodeStore:
    return NodeStore(tmp_path / "nodes")


def new(directory: Path, name: str = "edge", fingerprint: str = FINGERPRINT) -> NewNode:
    for file in ("c.pem", "k.pem"):
        (directory / file).write_text(file)
    record = NodeRecord(name=name, address="192.0.2.1", port=8443, fingerprint=fingerprint)
    return NewNode(record, directory / "c.pem", directory / "k.pem")


def test_a_node_keeps_copies_for_its_owners_eyes_only(nodes: NodeStore, tmp_path: Path) -> None:
    nodes.add(new(tmp_path))
    (tmp_path / "k.pem").unlink()
    transport = nodes.transport("edge")
    assert (transport.address, transport.port, transport.fingerprint) == ("192.0.2.1", 8443, FINGERPRINT)
    assert transport.key.read_text() == "k.pem"
    assert {stat.S_IMODE(file.stat().st_mode) for file in (nodes.root / "edge").iterdir()} == {0o600}
    assert stat.S_IMODE((nodes.root / "edge").stat().st_mode) == 0o700


def test_a_node_known_by_its_authority_keeps_that(nodes: NodeStore, tmp_path: Path) -> None:
    (tmp_path / "ca").write_text("authority")
    one = new(tmp_path, fingerprint="")
    nodes.add(NewNode(one.record, one.certificate, one.key, tmp_path / "ca"))
    authority = nodes.transport("edge").authority
    assert authority is not None
    assert authority.read_text() == "authority"


def test_names_are_listed_and_forgotten(nodes: NodeStore, tmp_path: Path) -> None:
    assert nodes.names() == []
    nodes.add(new(tmp_path, "b"))
    nodes.add(new(tmp_path, "a"))
    (nodes.root / ".new-half").mkdir()
    assert nodes.names() == ["a", "b"]
    nodes.remove("a")
    assert nodes.names() == ["b"]


def test_a_name_is_taken_once(nodes: NodeStore, tmp_path: Path) -> None:
    nodes.add(new(tmp_path))
    with pytest.raises(UsageFault, match="already"):
        nodes.add(new(tmp_path))


def test_what_was_left_half_way_is_no_hindrance(nodes: NodeStore, tmp_path: Path) -> None:
    (nodes.root / ".new-edge").mkdir(parents=True)
    nodes.add(new(tmp_path))
    assert nodes.names() == ["edge"]


def test_a_file_that_is_not_there_is_named_and_nothing_is_left(nodes: NodeStore, tmp_path: Path) -> None:
    one = new(tmp_path)
    with pytest.raises(UsageFault, match=r"missing\.pem"):
        nodes.add(NewNode(one.record, tmp_path / "missing.pem", one.key))
    assert nodes.names() == []


def test_no_such_node_and_a_damaged_one_say_so(nodes: NodeStore, tmp_path: Path) -> None:
    with pytest.raises(UsageFault, match="no node 'edge'"):
        nodes.transport("edge")
    with pytest.raises(UsageFault, match="no node 'edge'"):
        nodes.remove("edge")
    nodes.add(new(tmp_path))
    (nodes.root / "edge/node.json").write_text("{")
    with pytest.raises(EnvironmentFault, match="damaged"):
        nodes.transport("edge")
    nodes.remove("edge")


@pytest.mark.parametrize("name", ["", "..", "a/b", "A", ".new", "a" * 64])
def test_a_name_is_no_path(nodes: NodeStore, name: str) -> None:
    with pytest.raises(UsageFault, match="cannot be the name"):
        nodes.exists(name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("node.example", ("node.example", 8443)),
        ("192.0.2.1:9", ("192.0.2.1", 9)),
        ("[2001:db8::1]", ("2001:db8::1", 8443)),
        ("[fe80::1%eth0]:10", ("fe80::1%eth0", 10)),
    ],
)
def test_addresses(text: str, expected: tuple[str, int]) -> None:
    assert parse_address(text, 8443) == expected


@pytest.mark.parametrize("text", ["", ":1", "a:0", "a:65536", "a:b", "2001:db8::1", "https://a", "a b", "[a"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(UsageFault, match="not an address"):
        parse_address(text, 8443)


@pytest.mark.parametrize(
    "text", [FINGERPRINT, "AB" * 32, ":".join(["ab"] * 32), "sha256:" + ":".join(["AB"] * 32), f" {FINGERPRINT}\n"]
)
def test_fingerprints(text: str) -> None:
    assert parse_fingerprint(text) == FINGERPRINT


@pytest.mark.parametrize("text", ["", "sha256:", "ab" * 31, "md5:" + "ab" * 32, "xy" * 32])
def test_what_is_no_fingerprint(text: str) -> None:
    with pytest.raises(UsageFault, match="not a fingerprint"):
        parse_fingerprint(text)
