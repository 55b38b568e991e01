# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Archives of one layer: whole, and the same bytes each time."""

import hashlib
import json
import tarfile
from pathlib import Path

from pinwheel.image.host_container_archive import ImageFacts, write_archive

FACTS = ImageFacts("pinwheel-tool", "1.2", 1_700_000_000, ["/bin/tool", "-v"], {"PATH": "/bin", "HOME": "/root"})


def written(directory: Path, facts: ImageFacts = FACTS) -> tuple[str, Path]:
    directory.mkdir()
    (directory / "layer").write_bytes(b"packed")
    return write_archive(facts, directory / "layer", "sha256:plain", directory / "archive"), directory / "archive"


def content(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as opened:
        return {member.name: opened.extractfile(member).read() for member in opened}  # type: ignore[union-attr]


def test_every_blob_has_its_digest_for_a_name(tmp_path: Path) -> None:
    digest, archive = written(tmp_path / "a")
    files = content(archive)
    blobs = {name.removeprefix("blobs/sha256/"): blob for name, blob in files.items() if name.startswith("blobs/")}
    assert all(hashlib.sha256(blob).hexdigest() == name for name, blob in blobs.items())
    assert len(blobs) == 3
    (listed,) = json.loads(files["index.json"])["manifests"]
    assert listed["digest"] == digest
    manifest = json.loads(blobs[digest.removeprefix("sha256:")])
    assert blobs[manifest["layers"][0]["digest"].removeprefix("sha256:")] == b"packed"


def test_configuration_says_how_it_starts(tmp_path: Path) -> None:
    digest, archive = written(tmp_path / "a")
    files = content(archive)
    manifest = json.loads(files[f"blobs/{digest.replace(':', '/')}"])
    config = json.loads(files[f"blobs/{manifest['config']['digest'].replace(':', '/')}"])
    assert config["created"] == "2023-11-14T22:13:20Z"
    assert config["config"]["Entrypoint"] == ["/bin/tool", "-v"]
    assert config["config"]["Env"] == ["HOME=/root", "PATH=/bin"]
    assert config["rootfs"]["diff_ids"] == ["sha256:plain"]


def test_the_same_layer_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = written(tmp_path / "a"), written(tmp_path / "b")
    assert first[0] == second[0]
    assert first[1].read_bytes() == second[1].read_bytes()
    other = written(tmp_path / "c", FACTS._replace(version="1.3"))
    assert other[0] != first[0]
