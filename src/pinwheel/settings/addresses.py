# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The addresses and routes of a network interface, as in Bottlerocket's net.toml."""

from __future__ import annotations  # see `pinwheel.settings.model`: evaluated when a document has the table

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, field

from pinwheel.settings.model import Check, Conflict, Namespace, setting
from pinwheel.settings.types import IpAddress, is_ipv4, is_network


def _network4(text: str) -> str:
    if not is_network(text, ipv6=False):
        raise ValueError("not an IPv4 address with the length of its prefix, such as 192.0.2.10/24")
    return text


def _network6(text: str) -> str:
    if not is_network(text, ipv6=True):
        raise ValueError("not an IPv6 address with the length of its prefix, such as 2001:db8::10/64")
    return text


def _destination(text: str) -> str:
    if text != "default" and not (is_network(text, ipv6=False) or is_network(text, ipv6=True)):
        raise ValueError('not "default", nor a network such as 10.0.0.0/8')
    return text


Metric = Annotated[int, Meta(ge=0, le=2**32 - 1)]


class Dhcp4(Namespace, frozen=True):
    """Addresses by DHCP for IPv4."""

    enabled: Annotated[bool, setting("Whether to ask.", example=True)] = True
    optional: Annotated[bool, setting("Whether a boot does not wait for the answer.", example=True)] = False
    route_metric: Annotated[
        Metric | None,
        setting("The metric of the routes that DHCP names; lower ones win.", example=100, allowed="0 to 4294967295"),
    ] = None


class Dhcp6(Namespace, frozen=True):
    """Addresses by DHCP for IPv6."""

    enabled: Annotated[bool, setting("Whether to ask.", example=True)] = True
    optional: Annotated[bool, setting("Whether a boot does not wait for the answer.", example=True)] = False


class Static4(Namespace, frozen=True):
    """IPv4 addresses that are given."""

    addresses: Annotated[
        list[Annotated[str, Check(_network4)]],
        Meta(min_length=1),
        setting("The addresses.", example=["192.0.2.10/24"], allowed="IPv4 addresses with the length of their prefix"),
    ]


class Static6(Namespace, frozen=True):
    """IPv6 addresses that are given."""

    addresses: Annotated[
        list[Annotated[str, Check(_network6)]],
        Meta(min_length=1),
        setting(
            "The addresses.", example=["2001:db8::10/64"], allowed="IPv6 addresses with the length of their prefix"
        ),
    ]


class Route(Namespace, frozen=True):
    """A route that is given."""

    to: Annotated[
        str,
        Check(_destination),
        setting("Where it leads.", example="default", allowed='`"default"`, or a network in CIDR notation'),
    ]
    via: Annotated[
        IpAddress | None,
        setting("The gateway. Without it: what is directly on the link.", example="192.0.2.1", allowed="an IP address"),
    ] = None
    from_: Annotated[
        IpAddress | None,
        setting("The address that packets which take it are sent from.", example="192.0.2.10", allowed="an IP address"),
    ] = field(default=None, name="from")
    route_metric: Annotated[
        Metric | None, setting("Its metric; lower ones win.", example=100, allowed="0 to 4294967295")
    ] = None

    def conflicts(self) -> Iterator[Conflict]:
        """See `Namespace.conflicts`: one family of addresses."""
        given = [self.to.partition("/")[0] if self.to != "default" else None, self.via, self.from_]
        if len({is_ipv4(address) for address in given if address is not None}) > 1:
            yield "", "to, via and from mix IPv4 and IPv6"
        if self.to == "default" and self.via is None and self.from_ is None:
            yield "", 'to = "default" needs via'
