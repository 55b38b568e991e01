# SPDX-License-Identifier: Apache-2.0 OR MIT
"""From Debian's words about licences to SPDX's."""

import pytest

from pinwheel.image.licences import licence_of_copyright, licence_of_wheel, licensing, to_spdx


@pytest.mark.parametrize(
    ("debian", "spdx"),
    [
        ("GPL-2", "GPL-2.0-only"),
        ("GPL-2+", "GPL-2.0-or-later"),
        ("GPL-3.0+", "GPL-3.0-or-later"),
        ("LGPL-2.1-or-later", "LGPL-2.1-or-later"),
        ("GPL", "GPL-1.0-or-later"),
        ("Expat", "MIT"),
        ("BSD-3-clause", "BSD-3-Clause"),
        ("Artistic or GPL-1+", "Artistic-1.0-Perl OR GPL-1.0-or-later"),
        ("GPL-2 with Linux-syscall-note exception", "GPL-2.0-only WITH Linux-syscall-note"),
        ("Apache-2.0 with LLVM exception", "Apache-2.0 WITH LLVM-exception"),
        ("GFDL-NIV-1.3+", "GFDL-1.3-no-invariants-or-later"),
        ("GPL-2+ and Expat or ISC", "(GPL-2.0-or-later AND MIT) OR ISC"),
        ("GPL-2+ or ISC, and Expat", "(GPL-2.0-or-later OR ISC) AND MIT"),
        ("Expat and MIT", "MIT"),
        ("Own-licence", "LicenseRef-Own-licence"),
        ("GPL-2+ with own exception", "LicenseRef-GPL-2+ with own exception"),
    ],
)
def test_short_names_become_spdx_expressions(debian, spdx):
    assert to_spdx(debian, lambda name: f"LicenseRef-{name}") == spdx


def test_the_files_of_a_package_add_up():
    licence = licence_of_copyright(
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n"
        "Files: *\nCopyright: A\nLicense: GPL-2+ and ISC\n\nFiles: b\nCopyright: B\nLicense: ISC\n",
        "tool",
    )
    assert licence.expression == "GPL-2.0-or-later AND ISC"
    assert licence.extracted == {}


def test_an_unknown_licence_keeps_its_own_text():
    licence = licence_of_copyright(
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n"
        "Files: *\nCopyright: A\nLicense: Weird\n\nLicense: Weird\n Do as you like.\n",
        "tool",
    )
    ((reference, (name, text)),) = licence.extracted.items()
    assert licence.expression == reference
    assert name == "Weird"
    assert "Do as you like." in text
    licensing().parse(licence.expression)


def test_a_copyright_file_for_people_is_kept_whole():
    licence = licence_of_copyright("This is a long story.\n", "gcc-14")
    ((reference, (_, text)),) = licence.extracted.items()
    assert reference.startswith("LicenseRef-gcc-14-")
    assert text == "This is a long story.\n"


@pytest.mark.parametrize(
    ("said", "expression"), [("MIT", "MIT"), ("Apache-2.0 OR MIT", "Apache-2.0 OR MIT"), ("expat", "MIT")]
)
def test_a_wheel_says_its_licence_in_spdx_or_by_a_known_name(said, expression):
    assert licence_of_wheel(said, "", "wheel").expression == expression


def test_a_wheel_that_says_something_else_gets_its_licence_file():
    licence = licence_of_wheel("see file", "All rights granted.", "wheel")
    assert licence.expression.startswith("LicenseRef-wheel-")
    assert next(iter(licence.extracted.values()))[1] == "All rights granted."
