# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Read unified kernel images: the kernel's version, its command line, and whether there is a Secure Boot signature.

A unified kernel image is a PE file whose sections hold the parts. Formats: the UAPI group's UKI specification;
Microsoft's "PE Format" for the headers.
"""

import struct
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from pinwheel.errors import UsageFault

_POINTER_TO_PE_HEADER = 0x3C
_COFF = struct.Struct("<4s H H I I I H H")
_SECTION = struct.Struct("<8s I I I I 12x I")
_PE32_PLUS = 0x20B
_DIRECTORIES_AT = 112
"""Where the data directories begin in the optional header of a PE32+ file."""
_CERTIFICATES = 4
"""The data directory of the signatures."""


class UkiFacts(BaseModel):
    """What a unified kernel image says about itself."""

    model_config = ConfigDict(frozen=True)

    path: str = Field(description="In the ESP, with the boot loader's counters.")
    size: int = Field(description="Bytes.")
    kernel: str = Field(description="Release, as uname -r says it.")
    command_line: str
    root_hash: str = Field(description="dm-verity root hash in the command line; empty when it has none.")
    signed: bool = Field(description="Whether it carries a signature; whose, the firmware decides.")


def read_uki(file: Path, path: str) -> UkiFacts | None:
    """Read an EFI program; None when it is no unified kernel image (a boot loader, for one).

    Raises:
        UsageFault: it is no PE file, or a broken one.
    """
    try:
        sections, signed = _parse(file.read_bytes())
    except (struct.error, IndexError, ValueError) as error:
        raise UsageFault(f"{path} on the boot partition is no EFI program: {error}", "build the image again") from error
    if ".linux" not in sections:
        return None
    command_line = _text(sections, ".cmdline")
    words = dict(word.partition("=")[::2] for word in command_line.split())
    return UkiFacts(
        path=path,
        size=file.stat().st_size,
        kernel=_text(sections, ".uname"),
        command_line=command_line,
        root_hash=words.get("roothash", ""),
        signed=signed,
    )


def _text(sections: dict[str, bytes], name: str) -> str:
    return sections.get(name, b"").rstrip(b"\0\n").decode(errors="replace").strip()


def _parse(data: bytes) -> tuple[dict[str, bytes], bool]:
    """Give the sections by name, and whether there is a certificate table."""
    (header,) = struct.unpack_from("<I", data, _POINTER_TO_PE_HEADER)
    signature, _, count, _, _, _, optional_size, _ = _COFF.unpack_from(data, header)
    optional = header + _COFF.size
    (magic,) = struct.unpack_from("<H", data, optional)
    if data[:2] != b"MZ" or signature != b"PE\0\0" or magic != _PE32_PLUS:
        raise ValueError("it has no PE32+ header")
    _, certificates_size = struct.unpack_from("<I I", data, optional + _DIRECTORIES_AT + 8 * _CERTIFICATES)
    sections = {}
    for number in range(count):
        name, size, _, stored, at, _ = _SECTION.unpack_from(data, optional + optional_size + number * _SECTION.size)
        content = data[at : at + min(size, stored)]
        sections[name.rstrip(b"\0").decode("ascii", "replace")] = content
    return sections, certificates_size > 0
