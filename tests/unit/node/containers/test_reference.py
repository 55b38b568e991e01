# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Sources of images."""

import pytest

from pinwheel.node.containers.reference import ArchiveReference, Reference, SourceError, parse_source

DIGEST = f"sha256:{'ab' * 32}"


@pytest.mark.parametrize(("source", "reference"), [
    ("busybox", Reference("docker.io", "library/busybox", "latest")),
    ("busybox:1.36", Reference("docker.io", "library/busybox", "1.36")),
    ("docker.io/busybox", Reference("docker.io", "library/busybox", "latest")),
    ("team/tool:2", Reference("docker.io", "team/tool", "2")),
    ("team/deep/tool", Reference("docker.io", "team/deep/tool", "latest")),
    ("public.ecr.aws/bottlerocket/bottlerocket-admin:v0.11.13",
     Reference("public.ecr.aws", "bottlerocket/bottlerocket-admin", "v0.11.13")),
    ("localhost/tool", Reference("localhost", "tool", "latest")),
    ("10.0.2.2:5000/tool:1", Reference("10.0.2.2:5000", "tool", "1")),
    ("registry:5000/tool", Reference("registry:5000", "tool", "latest")),
    ("[2001:db8::1]:5000/tool", Reference("[2001:db8::1]:5000", "tool", "latest")),
    (f"example.com/tool@{DIGEST}", Reference("example.com", "tool", "latest", DIGEST)),
    (f"example.com/tool:1@{DIGEST}", Reference("example.com", "tool", "1", DIGEST)),
])  # fmt: skip
def test_images_are_named_as_engines_do(source, reference):
    assert parse_source(source) == reference


@pytest.mark.parametrize(("source", "reference"), [
    ("oci:/usr/share/pinwheel/admin.oci", ArchiveReference("/usr/share/pinwheel/admin.oci")),
    ("oci-archive:/var/lib/x.tar:v1", ArchiveReference("/var/lib/x.tar", "v1")),
    ("oci:/a:b/c", ArchiveReference("/a:b/c")),
])  # fmt: skip
def test_archives_are_named_by_their_path(source, reference):
    assert parse_source(source) == reference


@pytest.mark.parametrize("source", [
    "", "Busybox", "https://example.com/tool",
    "tool:", "tool@sha256:12", "tool:1:2", "a//b", "../etc", "-tool", "tool ",
    "example.com/", f"tool@{DIGEST}@{DIGEST}", "oci:relative", "oci:/a/../../etc", "oci:", "a" * 300,
    "UP/tool",
])  # fmt: skip
def test_anything_else_is_refused(source):
    with pytest.raises(SourceError):
        parse_source(source)


def test_a_digest_counts_more_than_a_tag():
    reference = parse_source(f"example.com/tool:1@{DIGEST}")
    assert isinstance(reference, Reference)
    assert reference.version == DIGEST
    assert str(parse_source("tool:1")) == "docker.io/library/tool:1"
