# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What every source of user data offers. A third party's source needs nothing more than this."""

from typing import BinaryIO, Protocol

from pinwheel.settings.user_data import MAX_USER_DATA


class SourceError(Exception):
    """A source is there and cannot be read. The next one is tried, and the problem is reported."""


class UserDataSource(Protocol):
    """One place where user data may be."""

    @property
    def name(self) -> str:
        """The name in the status document, such as `disk`."""

    def read(self) -> bytes | None:
        """Give the raw document, or None when this source has none.

        Raises:
            SourceError: there is one, and it cannot be read.
        """


def read_limited(stream: BinaryIO) -> bytes:
    """Read a document, or as much of it as shows that it is too large."""
    return stream.read(MAX_USER_DATA + 1)
