# SPDX-License-Identifier: Apache-2.0 OR MIT
import json
import marshal
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import CodeType

import pytest

from pinwheel.image import python_closure
from pinwheel.image.python_closure import Finder, Module, Report, Request, compile_module

SOURCES = {
    "ours/__init__.py": "",
    "ours/start.py": (
        "from typing import TYPE_CHECKING\n"
        "import library.used\n"
        "from . import sibling\n"
        "from .below.deep import function\n"
        "if TYPE_CHECKING:\n    import library.for_types\nelse:\n    import library.not_for_types\n"
        "def main():\n    import library.lazy\n"
        "if __name__ == '__main__':\n    import library.as_script\n"
    ),
    "ours/sibling.py": "",
    "ours/alone.py": "",
    "ours/below/__init__.py": "",
    "ours/below/deep.py": "function = 1",
    "library/__init__.py": "",
    "library/used.py": "import library.unneeded.part, nowhere_at_all",
    "library/unneeded/__init__.py": "",
    "library/unneeded/part.py": "",
    **{f"library/{name}.py": "" for name in ("for_types", "not_for_types", "lazy", "as_script", "computed")},
}


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    return write(tmp_path / "sources", SOURCES)


def write(directory: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(content)
    return directory


def build(sources: Path, **changes: list[str]) -> Report:
    destination = sources.parent / "out"
    destination.mkdir()
    request = {"own": ["ours.start"], "include": [], "exclude": ["library.unneeded", "typing"], **changes}
    return python_closure.build(
        Request(search=[str(sources)], destination=str(destination), prefix="/prefix", **request)  # type: ignore[typeddict-item]
    )


def test_imports_are_followed_into_functions_but_not_where_only_type_checkers_and_scripts_go(sources: Path) -> None:
    modules = build(sources)["modules"]
    assert {"ours", "ours.start", "ours.sibling", "ours.below", "ours.below.deep"} < set(modules)
    assert {"library.used", "library.not_for_types", "library.lazy"} < set(modules)
    assert not {"library.for_types", "library.as_script", "library.computed", "ours.alone"} & set(modules)


def test_an_excluded_name_stands_for_its_submodules(sources: Path) -> None:
    assert not [name for name in build(sources)["modules"] if "unneeded" in name]


def test_included_modules_and_whole_packages_are_taken_though_nobody_imports_them(sources: Path) -> None:
    modules = build(sources, own=["ours.*"], include=["library.computed"])["modules"]
    assert {"library.computed", "ours.alone"} < set(modules)


def test_our_import_of_what_is_missing_or_excluded_is_reported_with_who_imports_it(sources: Path) -> None:
    write(sources, {"ours/start.py": "import nowhere, library.unneeded", "library/used.py": ""})
    assert build(sources)["unresolved"] == {"nowhere": ["ours.start"], "library.unneeded": ["ours.start"]}


def test_a_librarys_import_of_what_is_missing_is_its_own_affair(sources: Path) -> None:
    assert "nowhere_at_all" not in build(sources, exclude=["library.unneeded"])["unresolved"]


def test_a_root_that_does_not_exist_is_reported(sources: Path) -> None:
    unresolved = build(sources, own=["ours.start", "ours.missing"], exclude=[])["unresolved"]
    assert unresolved["ours.missing"] == ["the declaration"]


def test_built_in_modules_need_no_file(sources: Path) -> None:
    write(sources, {"ours/start.py": "import sys, time, os.path"})
    report = build(sources)
    assert {"sys", "time"} <= set(report["inside"])
    assert "sys" not in report["modules"]


def test_an_extension_module_is_copied_under_its_own_name(sources: Path) -> None:
    suffix = EXTENSION_SUFFIXES[0]
    write(sources, {f"library/fast{suffix}": "ELF", "ours/start.py": "import library.fast"})
    build(sources)
    assert (sources.parent / f"out/library/fast{suffix}").read_text() == "ELF"


def test_the_result_is_byte_code_in_the_place_of_source(sources: Path) -> None:
    report = build(sources, exclude=["typing"])
    out = sources.parent / "out"
    files = sorted(str(file.relative_to(out)) for file in out.rglob("*") if file.is_file())
    assert "ours/__init__.pyc" in files
    assert "library/unneeded/part.pyc" in files
    assert len(files) == len(report["modules"])


def load(compiled: bytes) -> CodeType:
    code = marshal.loads(compiled[16:])
    assert isinstance(code, CodeType)
    return code


def compiled(directory: Path, source: str) -> bytes:
    file = write(directory, {"module.py": source}) / "module.py"
    return compile_module(Module("package.module", file, is_package=False), "/prefix")


def test_tracebacks_show_the_path_on_the_node_and_nothing_shows_the_builds(tmp_path: Path) -> None:
    one, other = compiled(tmp_path / "one", "x = lambda: 1\n"), compiled(tmp_path / "other", "x = lambda: 1\n")
    assert one == other
    assert load(one).co_filename == "/prefix/package/module.py"


def test_byte_code_is_never_compared_with_a_source(tmp_path: Path) -> None:
    assert compiled(tmp_path, "")[4:8] == b"\1\0\0\0"


def test_docstrings_go_and_assertions_and_the_documentation_of_classes_stay(tmp_path: Path) -> None:
    module = '"""Module."""\nfrom __future__ import annotations\n'
    function = 'def f():\n    """Function."""\n    assert False\n'
    source = module + function + 'class C:\n    """Class."""\n'
    names: dict[str, object] = {}
    exec(load(compiled(tmp_path, source)), names)
    assert names.get("__doc__") is None
    made = names["f"]
    assert callable(made)
    assert made.__doc__ is None
    with pytest.raises(AssertionError):
        made()
    assert names["C"].__doc__ == "Class."


def test_a_function_of_only_a_docstring_still_is_one(tmp_path: Path) -> None:
    names: dict[str, object] = {}
    exec(load(compiled(tmp_path, 'def f():\n    """Nothing else."""\n')), names)
    function = names["f"]
    assert callable(function)
    assert function() is None


def test_a_name_in_two_directories_is_taken_from_the_first(tmp_path: Path) -> None:
    first, second = write(tmp_path / "1", {"a.py": ""}), write(tmp_path / "2", {"a.py": "", "b.py": ""})
    finder = Finder([first, second], frozenset())
    found = finder.find("a")
    assert found is not None
    assert found.path == first / "a.py"
    assert finder.find("a.b") is None


def test_request_and_report_are_json(sources: Path) -> None:
    report = build(sources)
    assert json.loads(json.dumps(report)) == report
