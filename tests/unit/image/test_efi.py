# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Kernel images that are none: the ones that are, tests/node makes with the real tools."""

import pytest

from pinwheel.errors import UsageFault
from pinwheel.image.efi import read_uki


@pytest.mark.parametrize("content", [b"", b"MZ", b"MZ" + bytes(62), bytes(4096), b"\xff" * 4096])
def test_a_file_that_is_no_efi_program_is_refused(tmp_path, content):
    file = tmp_path / "pinwheel.efi"
    file.write_bytes(content)
    with pytest.raises(UsageFault, match=r"pinwheel\.efi.* no EFI program"):
        read_uki(file, "EFI/Linux/pinwheel.efi")
