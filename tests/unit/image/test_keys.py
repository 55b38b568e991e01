# SPDX-License-Identifier: Apache-2.0 OR MIT
"""The signing key: made once, kept to its owner, never replaced in silence."""

import stat
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from pinwheel.errors import UsageFault
from pinwheel.image.keys import ENVIRONMENT_VARIABLE, secure_boot_keys


@pytest.fixture(autouse=True)
def data_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv(ENVIRONMENT_VARIABLE, raising=False)
    return tmp_path / "data/pinwheel"


def test_key_is_made_on_first_use_for_its_owner_alone(data_directory: Path) -> None:
    keys = secure_boot_keys()
    assert keys.private_key.is_relative_to(data_directory)
    assert stat.S_IMODE(keys.private_key.stat().st_mode) == 0o600
    assert stat.S_IMODE(keys.private_key.parent.stat().st_mode) == 0o700


def test_certificate_is_of_the_key_and_its_owner_is_a_guid() -> None:
    keys = secure_boot_keys()
    certificate = x509.load_pem_x509_certificate(keys.certificate.read_bytes())
    private = load_pem_private_key(keys.private_key.read_bytes(), None)
    assert certificate.public_key() == private.public_key()
    assert str(uuid.UUID(keys.owner_guid)) == keys.owner_guid


def test_second_use_gives_the_same_key() -> None:
    before = secure_boot_keys().private_key.read_bytes()
    assert secure_boot_keys().private_key.read_bytes() == before


def test_builds_that_start_at_once_share_one_key(data_directory: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        certificates = set(pool.map(lambda _: secure_boot_keys().certificate.read_bytes(), range(4)))
    assert len(certificates) == 1
    assert [entry.name for entry in (data_directory / "keys").iterdir()] == ["secure-boot"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_key_that_others_reach_is_refused(mode: int) -> None:
    key = secure_boot_keys().private_key
    key.chmod(mode)
    with pytest.raises(UsageFault, match="others than its owner") as caught:
        secure_boot_keys()
    assert caught.value.hint == f"chmod 600 {key}"


@pytest.mark.parametrize("lost", ["signing.key", "signing.crt", "owner-guid"])
def test_half_a_key_is_refused_and_not_made_anew(lost: str) -> None:
    directory = secure_boot_keys().private_key.parent
    (directory / lost).unlink()
    with pytest.raises(UsageFault, match=f"lacks {lost}"):
        secure_boot_keys()
    assert not (directory / lost).exists()


def test_key_of_a_fleet_is_used_where_the_environment_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = secure_boot_keys(tmp_path / "fleet")
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path / "fleet"))
    assert secure_boot_keys() == fleet


def test_no_key_is_made_where_the_environment_names_a_place_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path / "flete"))
    with pytest.raises(UsageFault, match="flete"):
        secure_boot_keys()
    assert not (tmp_path / "flete").exists()
