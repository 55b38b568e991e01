# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Weigh Pinwheel's image, with the same counting as for stock."""

from pathlib import Path

from bench.boot.facts import ImageFacts, count_files
from bench.boot.tools import compressed_size

from pinwheel.image.build import BuiltImage
from pinwheel.image.inspect import inspect_image
from pinwheel.image.toolbox import Toolbox


def weigh(image: BuiltImage, toolbox: Toolbox, workspace: Path) -> ImageFacts:
    """Measure the finished image; `workspace` is for temporary files."""
    inspection = inspect_image(image.disk, toolbox, workspace)
    files = count_files((entry.path, entry.mode) for entry in inspection.entries if entry.type == "file")
    return ImageFacts(
        packages=len(inspection.report.packages),
        executables=files.executables,
        setuid=files.setuid,
        root_bytes=inspection.report.root_size,
        boot_bytes=image.disk.with_suffix(".efi").stat().st_size,
        download_bytes=compressed_size(toolbox, image.disk),
    )
