# SPDX-License-Identifier: Apache-2.0 OR MIT
"""`pinwheel image`: look into an image, compare two."""

from pathlib import Path

import typer

from pinwheel.cli.screen import ScreenProgress, human_size, out, print_json, print_table
from pinwheel.image.compare import Change, FileChange, FileState, ImageDiff, compare
from pinwheel.image.inputs import BuildContext, get_toolbox
from pinwheel.image.inspect import inspect_image
from pinwheel.image.report import FileSize, ImageReport, Inspection
from pinwheel.image.rules import RULES
from pinwheel.image.toolbox import Toolbox
from pinwheel.paths import cache_directory

_PATH = "Output directory of `pinwheel build`, raw disk, or qcow2."
_FILES_SHOWN = 40
"""As many files as a comparison lists of each sort; --json has them all."""
_PACKAGES_SHOWN = 12
"""As many packages as are listed by what was pruned of them; --json has them all."""

images = typer.Typer(name="image", help="Look into an image, compare two.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.add_typer(images)


@images.command()
def show(
    path: Path = typer.Argument(metavar="PATH", help=_PATH),
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
) -> None:
    """Show partitions, root hash, packages, largest files, programs, rule counts, and what was pruned."""
    progress = ScreenProgress()
    report = _inspect(path, get_toolbox(BuildContext(progress)), progress).report
    if json:
        print_json(report.model_dump(mode="json"))
    else:
        _show_report(report)


@images.command()
def diff(
    before: Path = typer.Argument(metavar="A", help=_PATH),
    after: Path = typer.Argument(metavar="B", help=_PATH),
    json: bool = typer.Option(False, "--json", help="Print one JSON document."),
) -> None:
    """Show what differs between two images, the older one first."""
    progress = ScreenProgress()
    toolbox = get_toolbox(BuildContext(progress))
    found = compare(_inspect(before, toolbox, progress), _inspect(after, toolbox, progress))
    if json:
        print_json(found.model_dump(mode="json"))
    else:
        _show_diff(found)


def _inspect(path: Path, toolbox: Toolbox, progress: ScreenProgress) -> Inspection:
    with progress.step(f"Reading {path}"):
        return inspect_image(path, toolbox, cache_directory())


def _show_report(report: ImageReport) -> None:
    for name, value in _summary(report):
        # Not a table: a root hash must stay whole however narrow the terminal is.
        out.print(f"{name:<16}{value}", markup=False)
    out.print()
    print_table(("Partition", "Type", "Offset", "Size", "Used"), _partition_rows(report))
    out.print()
    print_table(("Rule", "Files"), ((rule, report.counts[rule]) for rule in RULES))
    for violation in report.violations:
        out.print(f"  {violation}", style="red", markup=False)
    out.print()
    print_table((f"Package ({len(report.packages)})", "Version"), ((one.name, one.version) for one in report.packages))
    out.print()
    print_table((f"Program ({len(report.programs)})", "Size"), _sizes(report.programs))
    out.print()
    print_table(("Largest files", "Size"), _sizes(report.largest_files))
    out.print()
    print_table(("Pruned from", "Files", "Size"), _pruned_rows(report))


def _summary(report: ImageReport) -> list[tuple[str, str]]:
    return [
        ("Name", f"{report.name} {report.version}, variant {report.variant}"),
        ("Disk", f"{human_size(report.disk_size)}, {report.format}"),
        ("Root", f"{human_size(report.root_size)}, unpacked {human_size(report.unpacked_size)}"),
        ("Root hash", report.root_hash or "none"),
        ("Kernel", report.kernel),
        ("Command line", report.command_line),
        ("Secure Boot", "signed" if report.signed else "not signed"),
        ("Kernel images", ", ".join(f"{one.path} ({human_size(one.size)})" for one in report.kernel_images)),
        ("Files", f"{report.counts['files']}, of them {report.counts['programs']} programs"),
        ("Dangling links", ", ".join(report.dangling_links) or "none"),
    ]


def _partition_rows(report: ImageReport) -> list[tuple[str, ...]]:
    return [
        (one.name, one.kind, str(one.offset), human_size(one.size), "?" if one.used is None else human_size(one.used))
        for one in report.partitions
    ]


def _sizes(files: list[FileSize]) -> list[tuple[str, str]]:
    return [(one.path, human_size(one.size)) for one in files]


def _pruned_rows(report: ImageReport) -> list[tuple[str, str, str]]:
    ordered = sorted(report.pruned.packages.items(), key=lambda item: (-item[1].bytes, item[0]))
    rows = [(name, str(one.files), human_size(one.bytes)) for name, one in ordered[:_PACKAGES_SHOWN]]
    more = len(ordered) - len(rows)
    rows += [(f"... and {more} more packages", "", "")] if more else []
    return [*rows, ("all", str(report.pruned.files), human_size(report.pruned.bytes))]


def _show_diff(found: ImageDiff) -> None:
    if found.identical:
        out.print("nothing differs")
        return
    for fact in found.facts:
        out.print(
            f"{fact.name.replace('_', ' ')} - {fact.before}\n{fact.name.replace('_', ' ')} + {fact.after}", markup=False
        )
    for sign, words in (("-", found.command_line_removed), ("+", found.command_line_added)):
        for word in words:
            out.print(f"command line {sign} {word}", markup=False)
    _show_changes("Partition", found.partitions)
    _show_changes("Package", [*found.packages_removed, *found.packages_added, *found.packages_changed])
    _show_changes("Count", found.counts)
    for title, files in (
        ("removed", found.files_removed),
        ("added", found.files_added),
        ("changed", found.files_changed),
    ):
        _show_files(f"Files {title} ({len(files)})", files)


def _show_changes(title: str, changes: list[Change]) -> None:
    if changes:
        print_table((title, "Before", "After"), ((one.name, _cell(one.before), _cell(one.after)) for one in changes))
        out.print()


def _cell(value: str | int | None) -> str:
    return "-" if value is None else str(value)


def _show_files(title: str, files: list[FileChange]) -> None:
    if files:
        shown = files[:_FILES_SHOWN]
        rows = ((one.path, _state(one.before), _state(one.after), _what_differs(one)) for one in shown)
        print_table((title, "Before", "After", "Differs"), rows)
        if len(files) > len(shown):
            out.print(f"... and {len(files) - len(shown)} more: --json lists them all")
        out.print()


def _state(state: FileState | None) -> str:
    if state is None:
        return "-"
    what = f"-> {state.target}" if state.type == "symlink" else human_size(state.size)
    return f"{state.mode} {state.owner} {what if state.type in {'symlink', 'file'} else state.type}"


def _what_differs(change: FileChange) -> str:
    if change.before is None or change.after is None:
        return ""
    names = [name for name in FileState.model_fields if getattr(change.before, name) != getattr(change.after, name)]
    return ", ".join("content" if name == "sha256" else name for name in names)
