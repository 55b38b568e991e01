# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Real programs and libraries, compiled for the test, in trees as Debian lays them out."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pinwheel.image.elf import MissingLibraryError, closure, find_library, follow_links, read_needs

LIBRARIES = "usr/lib/x86_64-linux-gnu"
LOADER = "lib64/ld-linux-x86-64.so.2"

Compile = Callable[..., Path]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A tree with merged /usr and a dynamic loader, which is all that the programs below share."""
    tree = tmp_path / "root"
    for name in ("bin", "sbin", "lib", "lib64"):
        (tree / "usr" / name).mkdir(parents=True)
        (tree / name).symlink_to(f"usr/{name}")
    (tree / LIBRARIES).mkdir()
    (tree / LOADER).write_bytes(b"")
    return tree


@pytest.fixture
def compile_c(root: Path, request: pytest.FixtureRequest) -> Compile:
    """Compile a program or a library that needs nothing but what is named."""

    def compile_c(path: str, *options: str, needs: tuple[str, ...] = (), shared: bool = False) -> Path:
        output, source = root / path, root.parent / "source.c"
        output.parent.mkdir(parents=True, exist_ok=True)
        source.write_text("void _start(void) {}\n")
        words = ["gcc", "-nostdlib", "-Wl,--no-as-needed", "-Wl,--allow-shlib-undefined", *options]
        words += ["-shared", "-fPIC", f"-Wl,-soname,{output.name}"] if shared else ["-pie", "-fPIE"]
        command = [*words, "-o", str(output), str(source), *(str(root / need) for need in needs)]
        if not shutil.which("gcc"):
            command = request.getfixturevalue("toolbox").command(command, writable=[root.parent])
        subprocess.run(command, check=True)
        return output

    return compile_c


def test_program_names_its_interpreter_and_its_libraries(compile_c: Compile) -> None:
    compile_c(f"{LIBRARIES}/libone.so.1", shared=True)
    compile_c(f"{LIBRARIES}/libtwo.so.2", shared=True)
    program = compile_c("usr/bin/program", needs=(f"{LIBRARIES}/libone.so.1", f"{LIBRARIES}/libtwo.so.2"))
    needs = read_needs(program)
    assert needs is not None
    assert needs.interpreter == "/lib64/ld-linux-x86-64.so.2"
    assert needs.libraries == ("libone.so.1", "libtwo.so.2")
    assert needs.search_path == ()


@pytest.mark.parametrize("tags", ["--enable-new-dtags", "--disable-new-dtags"], ids=["RUNPATH", "RPATH"])
def test_search_path_is_read(compile_c: Compile, tags: str) -> None:
    needs = read_needs(compile_c("usr/bin/program", f"-Wl,{tags}", "-Wl,-rpath,/opt/lib:$ORIGIN/../lib/private"))
    assert needs is not None
    assert needs.search_path == ("/opt/lib", "$ORIGIN/../lib/private")


def test_program_without_a_section_table_still_names_its_libraries(root: Path, compile_c: Compile) -> None:
    compile_c(f"{LIBRARIES}/libone.so.1", shared=True)
    program = compile_c("usr/bin/program", needs=(f"{LIBRARIES}/libone.so.1",))
    content = bytearray(program.read_bytes())
    content[0x28:0x30] = bytes(8)  # e_shoff
    content[0x3C:0x40] = bytes(4)  # e_shnum, e_shstrndx
    program.write_bytes(content)
    needs = read_needs(program)
    assert needs is not None
    assert needs.libraries == ("libone.so.1",)


def test_static_program_needs_nothing(compile_c: Compile) -> None:
    needs = read_needs(compile_c("usr/bin/program", "-static", "-no-pie"))
    assert needs is not None
    assert (needs.interpreter, needs.libraries) == (None, ())


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n", b"\x7fELF"], ids=["empty", "script", "cut-short"])
def test_file_that_is_no_whole_elf_needs_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    assert read_needs(tmp_path / "file") is None


def test_closure_has_interpreter_libraries_and_the_libraries_of_these(root: Path, compile_c: Compile) -> None:
    compile_c(f"{LIBRARIES}/libdeep.so.1", shared=True)
    compile_c(f"{LIBRARIES}/libone.so.1", shared=True, needs=(f"{LIBRARIES}/libdeep.so.1",))
    compile_c(f"{LIBRARIES}/libunused.so.1", shared=True)
    compile_c("usr/bin/program", needs=(f"{LIBRARIES}/libone.so.1",))
    assert closure(root, ["usr/bin/program"]) == {
        "usr/bin/program",
        f"usr/{LOADER}",
        f"{LIBRARIES}/libone.so.1",
        f"{LIBRARIES}/libdeep.so.1",
    }


def test_closure_has_each_link_on_the_way_to_a_file(root: Path, compile_c: Compile) -> None:
    compile_c("usr/sbin/program-nft")
    (root / "usr/bin/program").symlink_to("/etc/alternatives/program")
    (root / "etc/alternatives").mkdir(parents=True)
    (root / "etc/alternatives/program").symlink_to("/sbin/program-nft")
    assert closure(root, ["usr/bin/program"]) == {
        "usr/bin/program",
        "etc/alternatives/program",
        "usr/sbin/program-nft",
        f"usr/{LOADER}",
    }


def test_versioned_library_comes_with_the_link_that_names_it(root: Path, compile_c: Compile) -> None:
    compile_c(f"{LIBRARIES}/libone.so.1", shared=True)
    compile_c("usr/bin/program", needs=(f"{LIBRARIES}/libone.so.1",))
    (root / f"{LIBRARIES}/libone.so.1").rename(root / f"{LIBRARIES}/libone.so.1.2.3")
    (root / f"{LIBRARIES}/libone.so.1").symlink_to("libone.so.1.2.3")
    assert {f"{LIBRARIES}/libone.so.1", f"{LIBRARIES}/libone.so.1.2.3"} <= closure(root, ["usr/bin/program"])


def test_library_that_an_absolute_link_names_is_looked_for_in_the_tree(root: Path, compile_c: Compile) -> None:
    compile_c(f"{LIBRARIES}/blas/libblas.so.3", shared=True)
    (root / f"{LIBRARIES}/libblas.so.3").symlink_to(f"/{LIBRARIES}/blas/libblas.so.3")
    assert find_library(root, "libblas.so.3") == f"{LIBRARIES}/libblas.so.3"


def test_link_to_a_file_of_the_workstation_is_no_library(root: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.so").write_bytes(b"")
    (root / f"{LIBRARIES}/libone.so.1").symlink_to(tmp_path / "outside.so")
    assert find_library(root, "libone.so.1") is None


def test_private_library_is_found_by_origin_under_its_plain_path(root: Path, compile_c: Compile) -> None:
    compile_c("usr/lib/program/libprivate.so", shared=True)
    compile_c(
        "usr/bin/program", "-Wl,-rpath,$ORIGIN/../lib/program", needs=("usr/lib/program/libprivate.so",)
    )  # fmt: skip
    assert "usr/lib/program/libprivate.so" in closure(root, ["usr/bin/program"])


def test_library_that_needs_one_beside_it_finds_it_there(root: Path, compile_c: Compile) -> None:
    compile_c("usr/lib/systemd/libbase.so", shared=True)
    compile_c("usr/lib/systemd/libcore.so", shared=True, needs=("usr/lib/systemd/libbase.so",))
    assert "usr/lib/systemd/libbase.so" in closure(root, ["usr/lib/systemd/libcore.so"])


def test_missing_library_is_named_with_what_needs_it(root: Path, compile_c: Compile) -> None:
    compile_c(f"{LIBRARIES}/libone.so.1", shared=True)
    compile_c("usr/bin/program", needs=(f"{LIBRARIES}/libone.so.1",))
    (root / f"{LIBRARIES}/libone.so.1").unlink()
    with pytest.raises(MissingLibraryError, match=r"^/usr/bin/program needs libone\.so\.1,"):
        closure(root, ["usr/bin/program"])


def test_what_the_build_adds_gets_its_libraries_from_the_tree(root: Path, tmp_path: Path, compile_c: Compile) -> None:
    compile_c(f"{LIBRARIES}/libone.so.1", shared=True)
    compile_c("usr/bin/program", needs=(f"{LIBRARIES}/libone.so.1",))
    own = tmp_path / "own"
    (own / "usr/lib/pinwheel").mkdir(parents=True)
    (root / "usr/bin/program").rename(own / "usr/lib/pinwheel/launch")
    assert closure(root, [], [own]) == {f"usr/{LOADER}", f"{LIBRARIES}/libone.so.1"}


def test_what_the_build_adds_may_bring_libraries_of_its_own(root: Path, tmp_path: Path, compile_c: Compile) -> None:
    compile_c("usr/lib/libown.so", shared=True)
    compile_c("usr/bin/program", needs=("usr/lib/libown.so",))
    own = tmp_path / "own"
    (own / "usr/lib").mkdir(parents=True)
    (root / "usr/bin/program").rename(own / "usr/lib/launch")
    (root / "usr/lib/libown.so").rename(own / "usr/lib/libown.so")
    assert closure(root, [], [own]) == {f"usr/{LOADER}"}


def test_links_that_lead_in_a_circle_end(root: Path) -> None:
    (root / "usr/bin/a").symlink_to("b")
    (root / "usr/bin/b").symlink_to("a")
    assert list(follow_links(root, "usr/bin/a")) == ["usr/bin/a", "usr/bin/b"]
