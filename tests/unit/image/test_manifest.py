# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The manifest of a build."""

import hashlib
import json

import pytest

from pinwheel.errors import UsageFault
from pinwheel.image.manifest import Artefact, Manifest, PartitionRecord, PrunedSummary, read_manifest, write_manifest


@pytest.fixture
def manifest(tmp_path) -> Manifest:
    disk = tmp_path / "pinwheel-docker.raw"
    disk.write_bytes(b"disk" * 1000)
    return Manifest(
        name="pinwheel-docker",
        version="0.1.0",
        variant="docker",
        architecture="amd64",
        lock_digest="ab" * 32,
        kernel="6.12.0-cloud-amd64",
        root_hash="cd" * 32,
        partitions=[
            PartitionRecord(name="esp", type="C12A7328-F81F-11D2-BA4B-00A0C93EC93B", offset=1 << 20, size=1 << 30)
        ],
        artefacts=[Artefact.of(disk)],
        rules={"shell": 0},
        packages=[],
        pruned=PrunedSummary(),
    )


def test_an_artefact_is_measured_by_size_and_hash(manifest):
    assert manifest.artefacts[0].size == 4000
    assert manifest.artefacts[0].sha256 == hashlib.sha256(b"disk" * 1000).hexdigest()


def test_what_was_written_is_read_back(manifest, tmp_path):
    assert json.loads(write_manifest(manifest, tmp_path).read_text())["schema_version"] == 1
    assert read_manifest(tmp_path) == manifest


def test_keys_of_a_later_version_are_ignored(manifest, tmp_path):
    file = write_manifest(manifest, tmp_path)
    file.write_text(json.dumps({**json.loads(file.read_text()), "added_later": True}))
    assert read_manifest(tmp_path) == manifest


def test_a_missing_manifest_is_the_callers_fault(tmp_path):
    with pytest.raises(UsageFault, match=r"manifest\.json"):
        read_manifest(tmp_path)


def test_a_wrong_manifest_is_reported_with_the_key(manifest, tmp_path):
    file = write_manifest(manifest, tmp_path)
    file.write_text(file.read_text().replace("cd" * 32, "not a hash"))
    with pytest.raises(UsageFault, match="root_hash"):
        read_manifest(tmp_path)
