# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Turn what a Debian copyright file or a wheel says about licences into an SPDX licence expression.

Debian's short names are those of the copyright format 1.0 (DEP-5), close to SPDX's and not the same. A name that has no
SPDX identifier becomes a LicenseRef with the licence's own text: nothing is guessed from a likeness of names.
"""

import hashlib
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import cast

from debian.copyright import Copyright, FilesParagraph, License, LicenseParagraph, NotMachineReadableError
from license_expression import ExpressionError, Licensing, get_spdx_licensing

# python-debian remarks on each outdated Format URL; nothing of it concerns who builds an image.
logging.getLogger("debian.copyright").addHandler(logging.NullHandler())

_NAMES: Mapping[str, str] = {
    "expat": "MIT",
    "mit/x11": "MIT",
    "artistic": "Artistic-1.0-Perl",
    "apache-2": "Apache-2.0",
    "apache": "Apache-2.0",
    "bsl-1": "BSL-1.0",
    "cc0": "CC0-1.0",
    "gpl": "GPL-1.0-or-later",
    "lgpl": "LGPL-2.0-or-later",
    "agpl": "AGPL-3.0-or-later",
    "python": "Python-2.0",
    "zlib/libpng": "Zlib",
}
"""Debian's short names, in lower case, where SPDX has another. "Artistic" is Perl's: see common-licenses. A GNU licence
without a version means any version (section 9 of the GPL)."""

_EXCEPTIONS: Mapping[str, str] = {
    "linux-syscall-note": "Linux-syscall-note",
    "bison": "Bison-exception-2.2",
    "bison-2.2": "Bison-exception-2.2",
    "llvm": "LLVM-exception",
    "libtool": "Libtool-exception",
    "gcc": "GCC-exception-3.1",
    "gcc-runtime-library": "GCC-exception-3.1",
    "texinfo": "Texinfo-exception",
    "font": "Font-exception-2.0",
    "classpath": "Classpath-exception-2.0",
}

_GNU = re.compile(
    r"(?P<family>agpl|lgpl|gpl)-?v?(?P<version>[1-3](\.[0-9])?)(\.0)?(?P<later>\+|-or-later)?(-only)?", re.IGNORECASE
)
_GFDL = re.compile(
    r"gfdl-(?P<niv>niv-)?(?P<version>1\.[123])(?P<later>\+|-or-later)?(?P<none>-no-invariants?)?", re.IGNORECASE
)
_EXCEPTION = re.compile(r"(?P<name>.+?)\s+with\s+(the\s+)?(?P<exception>.+?)([\s-]+exception)?", re.IGNORECASE)


@dataclass(frozen=True)
class Licence:
    """The licence of one package."""

    expression: str
    """An SPDX licence expression."""
    extracted: Mapping[str, tuple[str, str]] = field(default_factory=dict, repr=False)
    """LicenseRef in the expression -> its name, its text."""


def licence_of_copyright(text: str, package: str) -> Licence:
    """Read a Debian copyright file. One that machines cannot read becomes a single LicenseRef with its whole text."""
    try:
        parsed = Copyright(text.splitlines(keepends=True), strict=False)
        declared = [_licence_field(paragraph) for paragraph in parsed.all_files_paragraphs()]
        texts = dict(_licence_field(paragraph) for paragraph in parsed.all_license_paragraphs())
    except (NotMachineReadableError, ValueError, TypeError):
        return _whole(text, package)
    extracted: dict[str, tuple[str, str]] = {}
    terms: set[str] = set()
    for synopsis, inline in declared:
        reference = _Referrer({**texts, **({synopsis: inline} if inline else {})}, synopsis, text, extracted)
        expression = to_spdx(synopsis or "unnamed", reference)
        terms |= {expression} if " OR " in expression else set(expression.split(" AND "))
    return Licence(_join(terms), extracted) if terms else _whole(text, package)


def _licence_field(paragraph: FilesParagraph | LicenseParagraph) -> tuple[str, str]:
    """Give short name and text of a paragraph's licence field; both may be empty."""
    licence: License | None = cast("License | None", paragraph.license)
    return (licence.synopsis.strip(), licence.text) if licence else ("", "")


def licence_of_wheel(said: str, licence_text: str, name: str) -> Licence:
    """Read a wheel's licence: an SPDX expression, one known name, or else its licence file as a LicenseRef."""
    if expression := _valid_expression(said):
        return Licence(expression)
    if known := _known(said):
        return Licence(known)
    return _whole(licence_text or said, name)


def to_spdx(synopsis: str, reference: Callable[[str], str]) -> str:
    """Turn a DEP-5 licence synopsis into an SPDX expression; `reference` gives the LicenseRef of an unknown name.

    "and" binds stronger than "or", but a comma before either makes it the weakest.
    """
    clauses = re.split(r",\s+(and|or)\s+", " ".join(synopsis.split()), flags=re.IGNORECASE)
    words = [_alternatives(clause, reference) for clause in clauses[::2]]
    result = words[0]
    for operator, clause in zip(clauses[1::2], words[1:], strict=True):
        result = f"{_group(result)} {operator.upper()} {_group(clause)}"
    return result if " OR " in result else re.sub(r"[()]", "", result)


def _alternatives(clause: str, reference: Callable[[str], str]) -> str:
    either = []
    for alternative in re.split(r"\s+or\s+|\s*\|\s*", clause, flags=re.IGNORECASE):
        parts = [_known(name) or reference(name) for name in re.split(r"\s+and\s+", alternative, flags=re.IGNORECASE)]
        either.append(" AND ".join(dict.fromkeys(parts)))
    distinct = list(dict.fromkeys(either))
    return distinct[0] if len(distinct) == 1 else " OR ".join(_group(one) for one in distinct)


@dataclass(frozen=True)
class _Referrer:
    """Makes the LicenseRef of a name, and notes the text that the copyright file has for it."""

    texts: Mapping[str, str]
    synopsis: str
    whole: str
    extracted: dict[str, tuple[str, str]]

    def __call__(self, name: str) -> str:
        text = self.texts.get(name) or self.texts.get(self.synopsis) or self.whole
        reference = _reference(name, text)
        self.extracted[reference] = (name, text)
        return reference


def _reference(name: str, text: str) -> str:
    # The same short name means different texts in different packages, so the text's hash is part of the identifier.
    slug = re.sub(r"[^A-Za-z0-9.-]+", "-", name).strip("-")[:60] or "unnamed"
    return f"LicenseRef-{slug}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _whole(text: str, name: str) -> Licence:
    reference = _reference(name, text)
    return Licence(reference, {reference: (f"licence of {name}", text)})


def _join(terms: set[str]) -> str:
    return terms.pop() if len(terms) == 1 else " AND ".join(sorted(_group(term) for term in terms))


def _group(expression: str) -> str:
    return f"({expression})" if re.search(r" (AND|OR) ", expression) else expression


@cache
def _known(name: str) -> str | None:
    """Give the SPDX expression of one name, its exception included; None when SPDX knows no such licence."""
    if match := _EXCEPTION.fullmatch(name):
        exception = _EXCEPTIONS.get(match["exception"].lower())
        licence = _known(match["name"])
        return f"{licence} WITH {exception}" if exception and licence else None
    if match := _GNU.fullmatch(name):
        version = match["version"] if "." in match["version"] else f"{match['version']}.0"
        return _identifier(f"{match['family']}-{version}-{'or-later' if match['later'] else 'only'}")
    if match := _GFDL.fullmatch(name):
        invariants = "-no-invariants" if match["niv"] or match["none"] else ""
        return _identifier(f"GFDL-{match['version']}{invariants}-{'or-later' if match['later'] else 'only'}")
    return _NAMES.get(name.lower()) or _identifier(name)


@cache
def licensing() -> Licensing:
    """Give the parser of SPDX licence expressions; it takes half a second to make."""
    return get_spdx_licensing()


@cache
def _identifiers() -> Mapping[str, str]:
    symbols = licensing().known_symbols.items()
    return {
        key.lower(): key for key, symbol in symbols if not symbol.is_exception and not key.startswith("LicenseRef-")
    }


def _identifier(name: str) -> str | None:
    return _identifiers().get(name.lower())


def _valid_expression(said: str) -> str | None:
    try:
        parsed = licensing().parse(said, validate=True, strict=True) if said else None
    except ExpressionError:
        return None
    return str(parsed) if parsed is not None else None
