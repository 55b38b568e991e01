# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The bill of materials of an image as SPDX 2.3 JSON: every part with its version, supplier, licence and hash.

The same components give the same bytes: identifiers come from the contents, the date from SOURCE_DATE_EPOCH.
"""

import hashlib
import io
import json
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parseaddr

from spdx_tools.spdx.model.actor import Actor, ActorType
from spdx_tools.spdx.model.checksum import Checksum, ChecksumAlgorithm
from spdx_tools.spdx.model.document import CreationInfo, Document
from spdx_tools.spdx.model.extracted_licensing_info import ExtractedLicensingInfo
from spdx_tools.spdx.model.package import ExternalPackageRef, ExternalPackageRefCategory, Package, PackagePurpose
from spdx_tools.spdx.model.relationship import Relationship, RelationshipType
from spdx_tools.spdx.model.spdx_no_assertion import SpdxNoAssertion
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document
from spdx_tools.spdx.writer.json import json_writer

from pinwheel.errors import CheckFailed
from pinwheel.image.components import Components, DebianPackage, KernelFacts, WheelFacts
from pinwheel.image.licences import Licence, licence_of_copyright, licence_of_wheel, licensing

OWN_LICENCE = "Apache-2.0 OR MIT"
KERNEL_LICENCE = "GPL-2.0-only WITH Linux-syscall-note"
_IMAGE = "SPDXRef-Image"
_OWN_CODE = "SPDXRef-Pinwheel"
_TEAM_NAME = re.compile(r"team|maintainers?\b|group|debian|project|developers|packagers", re.IGNORECASE)
_TEAM_ADDRESS = re.compile(r"@((alioth-)?lists|tracker|packages)\.|-(devel|maint)@", re.IGNORECASE)
_ANGLE_FREE = re.compile(r"[<>()]")


@dataclass(frozen=True)
class ImageFacts:
    """What the document describes."""

    name: str
    """`pinwheel-docker`"""
    version: str
    root_sha256: str
    """Of the root file system: what the packages below are contained in."""
    source_date_epoch: int
    """Seconds since 1970: when the document counts as created."""


@dataclass
class _Parts:
    """What the document is put together from."""

    packages: list[Package] = field(default_factory=list)
    relationships: list[Relationship] = field(default_factory=list)
    extracted: dict[str, tuple[str, str]] = field(default_factory=dict)

    def contain(self, package: Package, licence: Licence | None = None, within: str = _IMAGE) -> None:
        self.packages.append(package)
        self.relationships.append(Relationship(within, RelationshipType.CONTAINS, package.spdx_id))
        self.extracted.update(licence.extracted if licence else {})


def make_sbom(image: ImageFacts, components: Components) -> str:
    """Write the bill of materials of an image, checked by the library's own validator.

    Raises:
        CheckFailed: the validator found the document wanting.
    """
    document = _document(image, _collect(image, components))
    messages = validate_full_spdx_document(document)
    if messages:
        wrong = "\n".join(sorted({message.validation_message for message in messages})[:10])
        raise CheckFailed(
            f"the bill of materials is not valid SPDX 2.3:\n{wrong}", "the facts of a package are malformed"
        )
    stream = io.StringIO()
    json_writer.write_document_to_stream(document, stream, validate=False)
    return json.dumps(json.loads(stream.getvalue()), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _collect(image: ImageFacts, components: Components) -> _Parts:
    parts = _Parts()
    parts.packages.append(_image_package(image))
    parts.relationships.append(Relationship("SPDXRef-DOCUMENT", RelationshipType.DESCRIBES, _IMAGE))
    parts.contain(_own_code(image))
    for package in components.debian:
        licence = licence_of_copyright(package.copyright, package.name)
        parts.contain(_debian_package(package, licence), licence)
    for wheel in components.wheels:
        licence = licence_of_wheel(
            wheel.licence, "\n\n".join(text for _, text in sorted(wheel.licence_files.items())), wheel.name
        )
        parts.contain(_wheel_package(wheel, licence), licence)
    if components.kernel:
        _add_kernel(parts, components.kernel, components.debian)
    return parts


def _document(image: ImageFacts, parts: _Parts) -> Document:
    facts = sorted(
        f"{p.name} {p.version} {p.license_declared} {[c.value for c in p.checksums]}" for p in parts.packages
    )
    identity = hashlib.sha256("\n".join(facts).encode()).hexdigest()
    creation = CreationInfo(
        spdx_version="SPDX-2.3",
        spdx_id="SPDXRef-DOCUMENT",
        name=f"{image.name}-{image.version}",
        # A name for the document, not an address: made from its contents, so the same image has the same.
        document_namespace=uuid.uuid5(uuid.NAMESPACE_OID, f"pinwheel sbom {identity} {image.source_date_epoch}").urn,
        creators=[
            Actor(ActorType.TOOL, f"pinwheel-{image.version}"),
            Actor(ActorType.ORGANIZATION, "Pinwheel contributors"),
        ],
        created=datetime.fromtimestamp(image.source_date_epoch, UTC).replace(tzinfo=None),
    )
    return Document(
        creation_info=creation,
        packages=sorted(parts.packages, key=lambda package: package.spdx_id),
        relationships=sorted(
            parts.relationships, key=lambda one: (one.spdx_element_id, str(one.related_spdx_element_id))
        ),
        extracted_licensing_info=[
            ExtractedLicensingInfo(license_id=reference, license_name=name, extracted_text=text)
            for reference, (name, text) in sorted(parts.extracted.items())
        ],
    )


def _image_package(image: ImageFacts) -> Package:
    return Package(
        spdx_id=_IMAGE,
        name=image.name,
        version=image.version,
        download_location=SpdxNoAssertion(),
        supplier=Actor(ActorType.ORGANIZATION, "Pinwheel contributors"),
        files_analyzed=False,
        checksums=_sha256(image.root_sha256),
        license_concluded=SpdxNoAssertion(),
        license_declared=SpdxNoAssertion(),
        copyright_text=SpdxNoAssertion(),
        primary_package_purpose=PackagePurpose.OPERATING_SYSTEM,
        comment="The checksum is that of the root file system.",
    )


def _own_code(image: ImageFacts) -> Package:
    return _package(
        _OWN_CODE,
        "pinwheel",
        image.version,
        OWN_LICENCE,
        supplier="Pinwheel contributors",
        purl=f"pkg:generic/pinwheel@{image.version}",
    )


def _debian_package(package: DebianPackage, licence: Licence) -> Package:
    made = _package(
        _identifier("Debian", package.name, package.architecture),
        package.name,
        package.version,
        licence.expression,
        supplier=package.maintainer,
        purl=package.purl,
        sha256=package.sha256,
        homepage=package.homepage,
    )
    made.summary = package.summary or None
    made.source_info = f"built from the Debian source package {package.source} {package.source_version}"
    made.comment = f"{package.files} files of it, {package.size} bytes, are in the image."
    return made


def _wheel_package(wheel: WheelFacts, licence: Licence) -> Package:
    identifier = _identifier("Wheel", wheel.name)
    return _package(identifier, wheel.name, wheel.version, licence.expression, supplier=wheel.author, purl=wheel.purl,
                    sha256=wheel.sha256, homepage=wheel.home_page)  # fmt: skip


def _add_kernel(parts: _Parts, kernel: KernelFacts, debian: Iterable[DebianPackage]) -> None:
    package = next((one for one in debian if one.name == kernel.package), None)
    linux = _package(
        "SPDXRef-Kernel",
        "linux",
        kernel.release,
        KERNEL_LICENCE,
        supplier=package.maintainer if package else "",
        purl=f"pkg:generic/linux@{kernel.release.replace('+', '%2B')}",
        sha256=kernel.sha256,
        homepage="https://www.kernel.org/",
    )
    linux.comment = "The kernel image inside the unified kernel image; the checksum is that of vmlinuz."
    parts.contain(linux)
    if package:
        within = _identifier("Debian", package.name, package.architecture)
        parts.relationships.append(Relationship("SPDXRef-Kernel", RelationshipType.GENERATED_FROM, within))


def _package(
    identifier: str,
    name: str,
    version: str,
    licence: str,
    *,
    supplier: str,
    purl: str,
    sha256: str = "",
    homepage: str = "",
) -> Package:
    return Package(
        spdx_id=identifier,
        name=name,
        version=version,
        download_location=SpdxNoAssertion(),
        supplier=_actor(supplier),
        files_analyzed=False,
        checksums=_sha256(sha256),
        homepage=homepage or None,
        license_concluded=SpdxNoAssertion(),
        license_declared=licensing().parse(licence),
        copyright_text=SpdxNoAssertion(),
        external_references=[ExternalPackageRef(ExternalPackageRefCategory.PACKAGE_MANAGER, "purl", purl)],
    )


def _sha256(value: str) -> list[Checksum]:
    return [Checksum(ChecksumAlgorithm.SHA256, value)] if value else []


def _actor(maintainer: str) -> Actor | SpdxNoAssertion:
    """Turn `Name <address>` into a supplier. Debian does not say which maintainers are teams: their names do."""
    if not maintainer.strip():
        return SpdxNoAssertion()
    name, address = parseaddr(maintainer)
    is_team = _TEAM_NAME.search(name) or _TEAM_ADDRESS.search(address)
    kind = ActorType.ORGANIZATION if is_team else ActorType.PERSON
    return Actor(kind, _ANGLE_FREE.sub("", name or address or maintainer), address or None)


def _identifier(kind: str, *parts: str) -> str:
    """Make an SPDX identifier: letters, digits, dots and hyphens only, so "+" is spelt out to keep names apart."""
    words = [re.sub(r"[^A-Za-z0-9.-]", "-", part.replace("+", "plus")) for part in parts]
    return "-".join(["SPDXRef", kind, *words])
