# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The types of values that several settings share, each with a message that says what is allowed.

A check raises ValueError with words that are followed by the value: `not a host name: "a b"`.
Only patterns are used, and compiled on first use: importing URL and address parsers would cost the node start time.
"""

import base64
import binascii
import re
from typing import Annotated, Any

from msgspec import Meta

from pinwheel.settings.model import Check
from pinwheel.settings.secret import Secret

MAX_HOST_NAME = 64
"""Bytes; Linux's own limit for a node's name (HOST_NAME_MAX)."""

MAX_MOTD = 4096
"""Characters of the message of the day: it has to fit a console."""

_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_NAME = rf"{_LABEL}(?:\.{_LABEL})*"
_IPV4 = r"(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_IPV6 = r"[0-9a-fA-F:]*:[0-9a-fA-F:.]*"
_HOST_PORT = r"(?P<host>\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9._-]+)(?::(?P<port>\d{1,5}))?"
_SYSCTL_KEY = r"[A-Za-z0-9][A-Za-z0-9._/-]{0,127}"
_IDENTIFIER = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,74}[A-Za-z0-9])?"
_MEMORY = r"(?P<number>[1-9]\d{0,11})(?P<unit>[%KMG])"
_PRINTABLE_ASCII = r"[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?"
_CONTROL = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]"
_PEM = r"-----BEGIN (?P<label>[A-Z0-9 ]+)-----\s+(?P<body>[A-Za-z0-9+/=\s]+?)-----END (?P=label)-----\s*"
_DER_SEQUENCE = 0x30
"""The first byte of every certificate and private key: an ASN.1 SEQUENCE (X.690 8.9)."""


def is_host_port(text: str) -> bool:
    """Say whether a text is a host name or address with an optional port."""
    match = re.fullmatch(_HOST_PORT, text)
    return match is not None and int(match["port"] or 0) <= 65535


def is_ipv4(text: str) -> bool:
    """Say whether a text is an IPv4 address."""
    return re.fullmatch(_IPV4, text) is not None


def is_ipv6(text: str) -> bool:
    """Say whether a text is an IPv6 address (RFC 4291 2.2), without a zone."""
    if not re.fullmatch(_IPV6, text):
        return False
    import socket  # of all programs that read settings, only the tests do not have it already

    try:
        return bool(socket.inet_pton(socket.AF_INET6, text))
    except OSError:
        return False


def is_network(text: str, *, ipv6: bool) -> bool:
    """Say whether a text is an address with the length of its prefix: `10.0.0.1/8`."""
    address, _, prefix = text.partition("/")
    if not re.fullmatch(r"\d{1,3}", prefix) or int(prefix) > (128 if ipv6 else 32):
        return False
    return is_ipv6(address) if ipv6 else is_ipv4(address)


def _is_address(text: str) -> bool:
    return is_ipv4(text) or is_ipv6(text)


def _ip_address(text: str) -> str:
    if not _is_address(text):
        raise ValueError("not an IP address")
    return text


def _domain(text: str) -> str:
    if not re.fullmatch(_NAME, text) or len(text) > 253 or is_ipv4(text):
        raise ValueError("not a domain such as example.com")
    return text


def _identifier(text: str) -> str:
    if not re.fullmatch(_IDENTIFIER, text):
        raise ValueError("not a name (letters, digits and '-', at most 76 characters)")
    return text


def _module_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,56}", text):
        raise ValueError("not the name of a kernel module")
    return text


def _size(text: str) -> str:
    match = re.fullmatch(_MEMORY, text)
    if match is None or (match["unit"] == "%" and int(match["number"]) > 100) or size_bytes(text, 100) >= 2**63:
        raise ValueError("not an amount of memory such as 512M, 2G or 25%")
    return text


def size_bytes(text: str, total: int) -> int:
    """Give the bytes that a value of type `Size` means on a machine with `total` bytes of memory."""
    number, unit = int(text[:-1]), text[-1]
    return number * total // 100 if unit == "%" else number * 1024 ** (" KMG".index(unit))


def _url(text: str) -> str:
    authority = re.fullmatch(r"https?://([^/@?#\s]+)(?:/[\x21-\x7e]*)?", text)
    if authority is None or not is_host_port(authority[1]) or len(text) > 2048:
        raise ValueError("not an HTTP or HTTPS address (without a user name)")
    return text


def _base64(encoded: Secret) -> Secret:
    try:
        base64.b64decode("".join(encoded.get_secret_value().split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("not base64") from error
    return encoded


def _image(text: str) -> str:
    # The grammar of github.com/distribution/reference, but for limits of length.
    name = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
    pattern = rf"(?:{_HOST_PORT}/)?{name}(?:/{name})*(?::[\w][\w.-]{{0,127}})?(?:@sha256:[0-9a-f]{{64}})?"
    archive = r"oci(?:-archive)?:(?:/(?!\.\.?(?:/|$))[\w.-]+)+(?::[\w.-]+)?"
    if not re.fullmatch(rf"{pattern}|{archive}", text, re.ASCII) or len(text) > 512:
        raise ValueError('not an image such as registry.example.com/tools/admin:1.2, or an archive such as "oci:/path"')
    return text


def _plain(value: Any, depth: int = 16) -> Any:  # noqa: ANN401
    """Let through what JSON can hold and every reader of JSON takes."""
    if not depth:
        raise ValueError("lists or tables are nested too deeply")
    if isinstance(value, dict):
        return {key: _plain(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, depth - 1) for item in value]
    if isinstance(value, float):
        finite = value - value == 0.0
    else:
        finite = isinstance(value, str | bool) or (isinstance(value, int) and -(2**63) <= value < 2**63)
    if not finite:
        raise ValueError("dates, null and numbers that are infinite or have more than 64 bits are not allowed here")
    return value


def _host_name(text: str) -> str:
    if not re.fullmatch(_NAME, text) or text != text.lower() or len(text) > MAX_HOST_NAME:
        raise ValueError("not a host name (lower-case letters, digits, '-' and '.', at most 64 characters)")
    return text


def _host(text: str) -> str:
    if not (_is_address(text) or (re.fullmatch(_NAME, text) and len(text) <= 253)):
        raise ValueError("not a host name or IP address")
    return text


def _motd(text: str) -> str:
    if len(text) > MAX_MOTD or re.search(_CONTROL, text):
        raise ValueError(f"not plain text of at most {MAX_MOTD} characters (control characters are not allowed)")
    return text


def is_sysctl_name(text: str) -> bool:
    """Say whether a text may be the name of a kernel parameter, with dots or slashes."""
    # `net.ipv4.conf.eth0/100.forwarding` is how an interface called `eth0.100` is written: see sysctl.d(5).
    return re.fullmatch(_SYSCTL_KEY, text) is not None and not any(pair in text for pair in ("..", "//", "./", "/."))


def _sysctl_key(text: str) -> str:
    if not is_sysctl_name(text):
        raise ValueError("not the name of a kernel parameter such as vm.max_map_count")
    return text


def _text_of_number(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _printable(text: str) -> str:
    if not re.fullmatch(_PRINTABLE_ASCII, text):
        raise ValueError("not one line of printable ASCII text")
    return text


def _proxy_url(url: Secret) -> Secret:
    text = url.get_secret_value()
    authority = re.fullmatch(r"(?:https?://)?(?:[!$&-;=?A-Z_a-z~%]+@)?([^/@\s]+)/?", text)
    if authority is None or not is_host_port(authority[1]):
        raise ValueError("not the address of a proxy such as http://proxy.example.com:3128")
    return url


def _no_proxy(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.*:\[\]/_-]{1,253}", text):
        raise ValueError("not a host name, domain, IP address or network in CIDR notation")
    return text


def _registry_url(text: str) -> str:
    authority = re.fullmatch(r"https?://([^/@?#\s]+)/?", text)
    if authority is None or not is_host_port(authority[1]):
        raise ValueError("not a registry's address such as https://mirror.example.com (no path, no user name)")
    return text.rstrip("/")


def _insecure_registry(text: str) -> str:
    host, _, prefix = text.partition("/")
    if not is_host_port(host) or (prefix and not (prefix.isdigit() and int(prefix) <= 128)):
        raise ValueError('not a registry such as "10.0.0.5:5000" or a network such as "10.0.0.0/8" (no http://)')
    return text


def _pem_blocks(encoded: str) -> list[str]:
    """Give the label of every PEM block in base64-encoded text (RFC 7468); raises ValueError where it is not that."""
    try:
        text = base64.b64decode("".join(encoded.split()), validate=True).decode("ascii")
        matches = list(re.finditer(_PEM, text))
        bodies = [base64.b64decode("".join(match["body"].split()), validate=True) for match in matches]
    except (binascii.Error, UnicodeError) as error:
        raise ValueError("not base64 of PEM text") from error
    rest = re.sub(_PEM, "", text)
    if "-----" in rest or not bodies or any(body[:1] != bytes([_DER_SEQUENCE]) for body in bodies):
        raise ValueError("not base64 of PEM text")
    return [match["label"] for match in matches]


def _certificates(encoded: str) -> str:
    if set(_pem_blocks(encoded)) != {"CERTIFICATE"}:
        raise ValueError("not base64 of PEM text that holds certificates")
    return encoded


def _private_key(encoded: Secret) -> Secret:
    labels = _pem_blocks(encoded.get_secret_value())
    keys = [label for label in labels if label.endswith("PRIVATE KEY")]
    if len(keys) != 1 or keys[0].startswith("ENCRYPTED") or set(labels) - {*keys, "EC PARAMETERS"}:
        raise ValueError("not base64 of PEM text that holds one private key without a pass phrase")
    return encoded


def pem_text(encoded: str) -> bytes:
    """Decode a value of type `Certificates` or `PrivateKey` to the PEM text in it."""
    return base64.b64decode("".join(encoded.split()))


Port = Annotated[int, Meta(ge=1, le=65535)]
HostName = Annotated[str, Check(_host_name)]
Host = Annotated[str, Check(_host)]
IpAddress = Annotated[str, Check(_ip_address)]
Domain = Annotated[str, Check(_domain)]
Identifier = Annotated[str, Check(_identifier)]
"""A name that the user chooses, such as a host container's."""
ModuleName = Annotated[str, Check(_module_name)]
Size = Annotated[str, Check(_size)]
"""An amount of memory; see `size_bytes`."""
Url = Annotated[str, Check(_url)]
Motd = Annotated[str, Check(_motd)]
SysctlKey = Annotated[str, Check(_sysctl_key)]
SysctlValue = Annotated[str, Check(_text_of_number, accepts='{"type": "integer"}'), Check(_printable)]
ProxyUrl = Annotated[Secret, Check(_proxy_url)]
"""Secret, because a proxy's address may hold a password."""
NoProxy = Annotated[str, Check(_no_proxy)]
RegistryUrl = Annotated[str, Check(_registry_url)]
InsecureRegistry = Annotated[str, Check(_insecure_registry)]
Certificates = Annotated[str, Check(_certificates)]
PrivateKey = Annotated[Secret, Check(_private_key)]
SecretBase64 = Annotated[Secret, Check(_base64)]
Image = Annotated[str, Check(_image)]
"""A reference to a container image."""
Free = Annotated[Any, Check(_plain)]
"""Whatever JSON and TOML can both hold."""


def decoded(encoded: Secret) -> bytes:
    """Decode a value of type `SecretBase64`."""
    return base64.b64decode("".join(encoded.get_secret_value().split()))
