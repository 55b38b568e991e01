# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Kernel modules: which may not be loaded, with which parameters (modprobe.d(5)), and which are loaded now."""

from pinwheel.node.files import RenderedFile
from pinwheel.node.kernel_values import change
from pinwheel.node.paths import MODPROBE, MODPROBE_RULES, MODULES, Paths
from pinwheel.node.programs import run
from pinwheel.node.serialize import modprobe_file
from pinwheel.node.services.service import Files
from pinwheel.settings.problem import Problem, path_text, quoted
from pinwheel.settings.system import Kernel
from pinwheel.settings.tree import Settings

LOAD_SECONDS = 60.0
_REFUSAL = "/usr/bin/false"
"""What is run in place of loading: it need not be there, for any failure means that the module is not loaded."""
_ANY_WRITE = 0o222


def render(settings: Settings) -> Files:
    """Forbid what is not allowed, by its name (`install`) and by the names of devices (`blacklist`); give options."""
    forbidden = [name for name, module in settings.kernel.modules.items() if not module.allowed]
    rules = [rule for name in forbidden for rule in (("blacklist", name), ("install", name, _REFUSAL))]
    options = [
        ("options", module, f"{name}={value}") for (module, name), value in settings.boot.module_parameters.items()
    ]
    return {MODPROBE_RULES: RenderedFile(modprobe_file([*rules, *options]))} if rules or options else {}


def activate(paths: Paths, old: Settings, new: Settings) -> list[Problem]:
    """Load what is to be loaded and was not before, and set parameters of what is loaded.

    What is loaded stays until the next boot.
    """
    problems = []
    for name in sorted(_wanted(new.kernel) - _wanted(old.kernel)):
        words = _objection(paths, name)
        if words:
            path = path_text(("settings", "kernel", "modules", name))
            problems.append(Problem("module-refused", path, 0, words, "the module is not loaded"))
    return [*problems, *_parameters_set(paths, old, new)]


def _wanted(kernel: Kernel) -> set[str]:
    return {name for name, module in kernel.modules.items() if module.autoload and module.allowed}


def _objection(paths: Paths, name: str) -> str:
    try:
        outcome = run(paths.at(MODPROBE), "--", name, seconds=LOAD_SECONDS)
    except OSError as error:
        return quoted(str(error), 300)[1:-1]
    return quoted(" ".join(outcome.errors.split()), 300)[1:-1] or "it cannot be loaded" if outcome.status else ""


def _parameters_set(paths: Paths, old: Settings, new: Settings) -> list[Problem]:
    names = {_file(*key): ".".join(key) for key in {**old.boot.module_parameters, **new.boot.module_parameters}}
    settable = {file for file in names if _is_settable(paths, file)}
    before, after = ({_file(*key): value for key, value in one.boot.module_parameters.items()} for one in (old, new))
    refused = change(
        paths,
        {file: value for file, value in before.items() if file in settable},
        {file: value for file, value in after.items() if file in settable},
    )
    return [
        Problem(
            "kernel-refused",
            path_text(("settings", "boot", "kernel-parameters", names[file])),
            0,
            words,
            "the module keeps its value",
        )
        for file, words in refused.items()
    ]


def _file(module: str, name: str) -> str:
    return f"{MODULES}/{module.replace('-', '_')}/parameters/{name}"


def _is_settable(paths: Paths, file: str) -> bool:
    """Say whether a module is loaded and takes a parameter after it was."""
    try:
        return bool(paths.at(file).stat().st_mode & _ANY_WRITE)
    except OSError:
        return False
