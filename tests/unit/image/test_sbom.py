# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The bill of materials: valid SPDX 2.3, complete, and the same each time."""

import json
from typing import Any

import pytest
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

from pinwheel.image.components import Components, KernelFacts, WheelFacts, read_packages
from pinwheel.image.sbom import ImageFacts, make_sbom

IMAGE = ImageFacts("pinwheel-docker", "0.1.0", "ef" * 32, 1_700_000_000)


@pytest.fixture
def components(debian_tree) -> Components:
    packages = read_packages(
        debian_tree, {"usr/bin/tool", "usr/lib/libtool.so.1", "usr/bin/oldtool"}, {"tool++": "ab" * 32}
    )
    wheel = WheelFacts("pydantic", "2.0", "cd" * 32, "MIT", "Somebody", "https://docs.pydantic.dev/")
    return Components(packages, (wheel,), KernelFacts("6.12.0+deb13-cloud-amd64", "12" * 32, "oldtool"))


@pytest.fixture
def document(components):
    return json.loads(make_sbom(IMAGE, components))


def by_name(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(package for package in document["packages"] if package["name"] == name)


def test_the_document_is_valid_when_read_back(components, tmp_path):
    file = tmp_path / "sbom.spdx.json"
    file.write_text(make_sbom(IMAGE, components))
    assert validate_full_spdx_document(parse_file(str(file))) == []


def test_every_part_is_contained_and_the_image_is_described(document):
    names = {package["SPDXID"]: package["name"] for package in document["packages"]}
    contained = {
        names[one["relatedSpdxElement"]] for one in document["relationships"] if one["relationshipType"] == "CONTAINS"
    }
    assert contained == {"pinwheel", "tool++", "libtool1", "oldtool", "pydantic", "linux"}
    assert {
        "spdxElementId": "SPDXRef-DOCUMENT",
        "relationshipType": "DESCRIBES",
        "relatedSpdxElement": "SPDXRef-Image",
    } in document["relationships"]


def test_a_debian_package_has_version_supplier_licence_hash_and_purl(document):
    tool = by_name(document, "tool++")
    assert tool["versionInfo"] == "2:1.0-1"
    assert tool["supplier"] == "Person: Ada Lovelace (ada@debian.org)"
    assert tool["licenseDeclared"].startswith("((LGPL-2.1-only OR MIT) AND LicenseRef-Weird-")
    assert tool["licenseDeclared"].endswith(") AND GPL-2.0-or-later")
    assert tool["checksums"] == [{"algorithm": "SHA256", "checksumValue": "ab" * 32}]
    assert tool["externalRefs"][0]["referenceLocator"] == "pkg:deb/debian/tool%2B%2B@2:1.0-1?arch=amd64"
    assert tool["sourceInfo"].endswith("tool 2:1.0-1")


def test_a_team_is_an_organisation(document):
    assert by_name(document, "libtool1")["supplier"] == "Organization: Tool Team (team+tool@tracker.debian.org)"


def test_the_kernel_is_a_package_of_its_own_with_the_package_it_comes_from(document):
    kernel = by_name(document, "linux")
    assert kernel["versionInfo"] == "6.12.0+deb13-cloud-amd64"
    assert kernel["licenseDeclared"] == "GPL-2.0-only WITH Linux-syscall-note"
    assert {
        "spdxElementId": "SPDXRef-Kernel",
        "relationshipType": "GENERATED_FROM",
        "relatedSpdxElement": by_name(document, "oldtool")["SPDXID"],
    } in document["relationships"]


def test_licences_without_an_identifier_come_with_their_text(document):
    texts = {one["name"]: one["extractedText"] for one in document["hasExtractedLicensingInfos"]}
    assert "on Tuesdays" in texts["Weird"]
    assert "long story" in texts["licence of oldtool"]


def test_the_same_components_give_the_same_bytes(components):
    shuffled = Components(components.debian[::-1], components.wheels, components.kernel)
    assert make_sbom(IMAGE, components) == make_sbom(IMAGE, shuffled)


def test_the_date_is_that_of_the_sources(document):
    assert document["creationInfo"]["created"] == "2023-11-14T22:13:20Z"
    assert document["documentNamespace"].startswith("urn:uuid:")
