# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Remove network interfaces that were made: networkd makes them, and leaves them when their configuration goes.

By rtnetlink(7): `networkctl`, which could do it too, would be a program for one call.
"""

import os
import socket
import struct

_HEADER = struct.Struct("=IHHII")
"""struct nlmsghdr of linux/netlink.h: length, type, flags, sequence number, port."""
_LINK = struct.Struct("=BxHiII")
"""struct ifinfomsg of linux/rtnetlink.h: family, type, index, flags, mask of flags."""
_DELETE_LINK, _ERROR = 17, 2
"""RTM_DELLINK, NLMSG_ERROR."""
_REQUEST_ACKNOWLEDGED = 0x5
"""NLM_F_REQUEST | NLM_F_ACK."""
_NETLINK_ROUTE = 0
SECONDS = 10.0
"""How long the kernel may take."""


def delete_link(name: str) -> None:
    """Remove an interface; it may be gone already.

    Raises:
        OSError: the kernel does not, for instance because it is no interface that somebody made.
    """
    try:
        index = socket.if_nametoindex(name)
    except OSError:
        return
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_ROUTE) as channel:
        channel.settimeout(SECONDS)
        body = _LINK.pack(socket.AF_UNSPEC, 0, index, 0, 0)
        channel.send(_HEADER.pack(_HEADER.size + len(body), _DELETE_LINK, _REQUEST_ACKNOWLEDGED, 1, 0) + body)
        answer = channel.recv(4096)
    if _HEADER.unpack_from(answer)[1] == _ERROR:
        (code,) = struct.unpack_from("=i", answer, _HEADER.size)
        if code:
            raise OSError(-code, f"{name}: {os.strerror(-code)}")
