# SPDX-License-Identifier: Apache-2.0 OR MIT
"""User data as a systemd credential: from the firmware (SMBIOS type 11), QEMU's fw_cfg or the boot loader.

systemd has read it long before, and shows it to the service in $CREDENTIALS_DIRECTORY (systemd.exec(5)).
"""

from pathlib import Path
from typing import NamedTuple

from pinwheel.node.user_data.source import SourceError, read_limited

USER_DATA = "pinwheel.user-data"
IMDS_ENDPOINT = "pinwheel.imds-endpoint"


class CredentialSource(NamedTuple):
    """The credential `pinwheel.user-data` (`UserDataSource`)."""

    directory: Path | None
    """$CREDENTIALS_DIRECTORY; None when systemd gave the service no credentials."""
    name: str = "credential"

    def read(self) -> bytes | None:
        """See `UserDataSource.read`."""
        return read_credential(self.directory, USER_DATA)


def read_credential(directory: Path | None, name: str) -> bytes | None:
    """Give a credential's content, or None when it is not there.

    Raises:
        SourceError: it cannot be read.
    """
    if directory is None:
        return None
    try:
        with (directory / name).open("rb") as file:
            return read_limited(file)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SourceError(f"the credential {name} cannot be read: {error.strerror}") from error
