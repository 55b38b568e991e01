# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Read systemd's configuration files back: systemd.syntax(7), with sections and keys that repeat."""


def sections(content: bytes) -> list[tuple[str, list[tuple[str, str]]]]:
    """Give the sections in order, each with its assignments in order."""
    found: list[tuple[str, list[tuple[str, str]]]] = []
    for line in content.decode().split("\n"):
        if line.startswith("["):
            assert line.endswith("]")
            found.append((line[1:-1], []))
        elif line:
            key, sign, value = line.partition("=")
            assert sign, line
            found[-1][1].append((key, value))
    return found


def values(content: bytes, section: str, key: str) -> list[str]:
    """Give every value of a key in the sections of a name."""
    return [value for name, pairs in sections(content) for other, value in pairs if (name, other) == (section, key)]
