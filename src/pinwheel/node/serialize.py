# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Writers for the formats that the node's services read.

Each refuses what its format cannot hold, and none lets a value end up as syntax.
"""

import re
from collections.abc import Mapping

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def json_file(value: object) -> bytes:
    """Write JSON, for programs and readable."""
    import json

    return json.dumps(value, indent=2).encode() + b"\n"


def ini_file(sections: Mapping[str, Mapping[str, str]]) -> bytes:
    """Write the INI dialect of systemd's configuration files (systemd.syntax(7)).

    Raises:
        ValueError: a value has a control character or ends in a backslash, which would continue it on the next line.
    """
    import configparser
    import io

    for value in (value for section in sections.values() for value in section.values()):
        if _CONTROL.search(value) or value.endswith("\\"):
            raise ValueError("a value that an INI file cannot hold")
    writer = configparser.ConfigParser(interpolation=None)
    writer.optionxform = str  # type: ignore[assignment, method-assign]  # systemd's keys are case-sensitive
    writer.read_dict(sections)
    text = io.StringIO()
    writer.write(text, space_around_delimiters=False)
    return text.getvalue().encode()


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
