# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What is declared for all variants, and for one."""

from pathlib import Path

import pytest

from pinwheel.errors import UsageFault
from pinwheel.image import definition
from pinwheel.image.definition import ImageDefinition, overlays, read_definition
from pinwheel.image.tree import variants


@pytest.fixture
def declarations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory in the place of `os/`, with a variant called `small`."""
    monkeypatch.setattr(definition, "DEFINITION", tmp_path)
    (tmp_path / "mkosi.profiles/small").mkdir(parents=True)
    (tmp_path / "image.toml").write_text("")
    (tmp_path / "mkosi.profiles/small/image.toml").write_text("")
    return tmp_path


def test_variant_adds_to_what_every_variant_has(declarations: Path) -> None:
    (declarations / "image.toml").write_text(
        'programs = ["/a"]\ndrop-setuid = ["/a"]\nexcluded-kernel-modules = ["x/*"]\n[initrd]\nalways = ["erofs"]\n'
    )
    (declarations / "mkosi.profiles/small/image.toml").write_text(
        'programs = ["/b"]\nunits = ["b.service"]\nexcluded-kernel-modules = ["y/*"]\n[initrd]\ndrivers = ["nvme"]\n'
    )
    both = read_definition("small")
    assert both.programs == ["/a", "/b"]
    assert both.drop_setuid == ["/a"]
    assert both.units == ["b.service"]
    assert both.excluded_kernel_modules == ["x/*", "y/*"]
    assert (both.initrd.always, both.initrd.drivers) == (["erofs"], ["nvme"])


@pytest.mark.parametrize("name", [name for name in ImageDefinition.model_fields if name != "initrd"])
def test_no_list_is_forgotten_when_two_declarations_are_taken_together(name: str) -> None:
    key = name.replace("_", "-")
    one, other = (ImageDefinition.model_validate({key: [value]}) for value in ("one", "other"))
    assert getattr(one.extended_by(other), name) == ["one", "other"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('program = ["/a"]', r"image\.toml: program: Extra inputs"),
        ('[initrd]\nalway = ["erofs"]', r"image\.toml: initrd\.alway: Extra inputs"),
        ('programs = "/a"', r"image\.toml: programs: .*list"),
        ("programs = 1 2", r"image\.toml: .*line 1"),
    ],
    ids=["unknown-key", "unknown-key-of-a-table", "wrong-type", "no-TOML"],
)
def test_bad_declaration_is_refused_with_file_and_key(declarations: Path, text: str, reason: str) -> None:
    (declarations / "mkosi.profiles/small/image.toml").write_text(text)
    with pytest.raises(UsageFault, match=reason):
        read_definition("small")


def test_file_that_is_no_text_is_refused(declarations: Path) -> None:
    (declarations / "image.toml").write_bytes(b'motd = "\xff"')
    with pytest.raises(UsageFault, match=r"image\.toml"):
        read_definition("small")


def test_variant_without_a_declaration_is_refused(declarations: Path) -> None:
    (declarations / "mkosi.profiles/small/image.toml").unlink()
    with pytest.raises(UsageFault, match=r"small/image\.toml"):
        read_definition("small")


def test_files_of_the_variant_are_laid_over_those_of_all(declarations: Path) -> None:
    (declarations / "root").mkdir()
    assert overlays("small") == [declarations / "root"]
    (declarations / "mkosi.profiles/small/root").mkdir()
    assert overlays("small") == [declarations / "root", declarations / "mkosi.profiles/small/root"]


@pytest.mark.parametrize("variant", variants())
def test_declarations_of_the_checkout_are_good(variant: str) -> None:
    both = read_definition(variant)
    assert set(both.drop_setuid) <= set(both.programs)
    for name in ("programs", "units", "libraries", "files", "excluded_kernel_modules"):
        declared = getattr(both, name)
        assert len(declared) == len(set(declared)), f"{name}: declared twice"
