# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Documents of images, good ones and others."""

import json

import pytest

from pinwheel.node.containers import oci
from pinwheel.node.containers.oci import Descriptor, ImageError

DIGEST = f"sha256:{'ab' * 32}"
OTHER = f"sha256:{'cd' * 32}"


def entry(digest=DIGEST, **more):
    return {"mediaType": oci.OCI_MANIFEST, "digest": digest, "size": 7} | more


def platform(name, digest):
    return entry(digest, platform={"os": "linux", "architecture": name})


def manifest(**more):
    return {"schemaVersion": 2, "config": entry(), "layers": [entry(OTHER)]} | more


def test_a_manifest_names_configuration_and_layers():
    read = oci.read_manifest(manifest())
    assert read.config == Descriptor(oci.OCI_MANIFEST, DIGEST, 7)
    assert [layer.digest for layer in read.layers] == [OTHER]


@pytest.mark.parametrize("broken", [
    {"schemaVersion": 1}, {"config": None}, {"layers": None}, {"layers": {}}, {"layers": ["x"]},
    {"layers": [entry("sha512:" + "ab" * 64)]}, {"layers": [entry("sha256:../../etc/passwd")]},
    {"layers": [entry(size=-1)]}, {"layers": [entry(size="7")]}, {"layers": [entry()] * 300},
    {"config": entry(size=10**9)}, {"layers": [entry(size=10**15)]},
])  # fmt: skip
def test_a_manifest_that_is_none_is_refused(broken):
    with pytest.raises(ImageError):
        oci.read_manifest(manifest(**broken))


def test_the_image_for_this_machine_is_chosen():
    index = {"mediaType": oci.OCI_INDEX, "manifests": [
        entry(OTHER, platform={"os": "unknown", "architecture": "unknown"}), platform("arm64", OTHER),
        platform("amd64", DIGEST),
    ]}  # fmt: skip
    assert oci.is_index(index)
    assert oci.choose(index, "x86_64").digest == DIGEST
    assert oci.choose(index, "aarch64").digest == OTHER


def test_no_image_for_this_machine_is_said_so():
    with pytest.raises(ImageError, match="not made for linux/riscv64"):
        oci.choose({"manifests": [platform("amd64", DIGEST)]}, "riscv64")


def test_an_archives_image_is_chosen_by_its_name():
    index = {"manifests": [
        entry(OTHER, annotations={oci.NAME_ANNOTATION: "v1"}), entry(DIGEST, annotations={oci.NAME_ANNOTATION: "v2"}),
    ]}  # fmt: skip
    assert oci.choose(index, "x86_64", "v2").digest == DIGEST
    assert oci.choose(index, "x86_64").digest == OTHER
    with pytest.raises(ImageError, match="v3"):
        oci.choose(index, "x86_64", "v3")


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_document_is_refused(content):
    with pytest.raises(ImageError):
        oci.read_document(content)


def test_content_must_have_its_digest():
    content = json.dumps(manifest()).encode()
    assert oci.verified(content, oci.digest_of(content)) == content
    with pytest.raises(ImageError, match="not what was asked for"):
        oci.verified(content + b" ", oci.digest_of(content))
