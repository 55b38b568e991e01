# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Writers for the formats that the node's services read.

Each refuses what its format cannot hold, and none lets a value end up as syntax.
"""

import re
from collections.abc import Iterable, Mapping

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def json_file(value: object) -> bytes:
    """Write JSON, for programs and readable."""
    import json

    return json.dumps(value, indent=2).encode() + b"\n"


def ini_file(sections: Mapping[str, Mapping[str, str]]) -> bytes:
    """Write the INI dialect of systemd's configuration files, each section and each key once.

    Raises:
        ValueError: see `unit_file`.
    """
    return unit_file((name, tuple(section.items())) for name, section in sections.items())


def unit_file(sections: Iterable[tuple[str, Iterable[tuple[str, str]]]]) -> bytes:
    """Write the INI dialect of systemd's configuration files (systemd.syntax(7)); sections and keys may repeat.

    Raises:
        ValueError: a value has a control character or a space at an end, which would be lost, or ends in a backslash,
            which would continue it on the next line; or a section or a key is no plain word.
    """
    return "".join(f"[{_word(name)}]\n{_assignments(pairs)}\n" for name, pairs in sections).encode()


def _assignments(pairs: Iterable[tuple[str, str]]) -> str:
    for _, value in pairs:
        if _CONTROL.search(value) or value.endswith("\\") or value != value.strip():
            raise ValueError("a value that an INI file cannot hold")
    return "".join(f"{_word(key)}={value}\n" for key, value in pairs)


def _word(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", text):
        raise ValueError("a name that an INI file cannot hold")
    return text


def environment_file(variables: Mapping[str, str]) -> bytes:
    """Write the format of systemd's EnvironmentFile= (systemd.exec(5)): values in double quotes.

    Raises:
        ValueError: a value has a control character.
    """
    lines = []
    for name, value in variables.items():
        if _CONTROL.search(value):
            raise ValueError("a value that an environment file cannot hold")
        escaped = re.sub(r'([\\"`$])', r"\\\1", value)
        lines.append(f'{name}="{escaped}"\n')
    return "".join(lines).encode()


def sysctl_file(parameters: Mapping[str, str]) -> bytes:
    """Write the format of sysctl.d(5).

    Raises:
        ValueError: a name or a value that would be read as something else.
    """
    for name, value in parameters.items():
        if _CONTROL.search(value.replace("\t", " ")) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/-]*", name):
            raise ValueError("a kernel parameter that a sysctl.d file cannot hold")
    return "".join(f"{name} = {value}\n" for name, value in parameters.items()).encode()


def hosts_file(entries: Iterable[tuple[str, Iterable[str]]]) -> bytes:
    """Write the format of hosts(5): an address and its names on a line.

    Raises:
        ValueError: an address or a name has anything but letters, digits, `.`, `:`, `-` and `_`.
    """
    lines = [(address, *names) for address, names in entries]
    if not all(re.fullmatch(r"[A-Za-z0-9.:_-]+", word) for line in lines for word in line):
        raise ValueError("a word that a hosts file cannot hold")
    return "".join(f"{' '.join(line)}\n" for line in lines).encode()


def modprobe_file(commands: Iterable[tuple[str, ...]]) -> bytes:
    """Write the format of modprobe.d(5): a command and its words on a line.

    Raises:
        ValueError: a word has anything but printable ASCII, or a blank or a quotation mark, or starts a comment.
    """
    lines = list(commands)
    if not all(re.fullmatch(r"[\x21\x23-\x26\x28-\x7e]+", word) for line in lines for word in line) or any(
        line[0].startswith("#") for line in lines
    ):
        raise ValueError("a word that a modprobe.d file cannot hold")
    # A backslash at the end would continue the line.
    return "".join(f"{' '.join(line)}{' ' if line[-1].endswith(chr(92)) else ''}\n" for line in lines).encode()
