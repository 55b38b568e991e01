# SPDX-License-Identifier: Apache-2.0 OR MIT
"""What a consumer of settings is: the settings it reads, the files it writes, and how a change reaches it.

Whoever applies settings (boot, and the actuator at run time) goes through the table and knows no consumer by name:
render, check, put in place, restart what has changed, activate.
"""

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from operator import attrgetter
from typing import Any, Literal, NamedTuple

from pinwheel.node.files import RenderedFile
from pinwheel.node.paths import Paths
from pinwheel.settings.problem import Problem
from pinwheel.settings.tree import Settings

Files = Mapping[str, RenderedFile]
"""What is to be in place, by absolute path on the node."""

Verb = Literal["start", "stop", "restart", "try-restart", "reload-or-try-restart"]
"""Of systemctl(1)."""


class UnitAction(NamedTuple):
    """What is done to a unit when a file of its service has changed."""

    unit: str
    verb: Verb
    early: bool = False
    """Whether it may be running before boot has put the files in place; it is done at boot then, too."""


class Service(NamedTuple):
    """One consumer of settings."""

    name: str
    """Bottlerocket's name where it has one."""
    settings: tuple[str, ...]
    """What it reads: prefixes below `settings`, as users write them (`network.https-proxy`)."""
    owned: tuple[str, ...] = ()
    """Every file that it may write, absolute, in the order of writing. One that ends in "/" is a directory of its own:
    what is not rendered into it goes. Generated files are below /run."""
    render: Callable[[Settings], Files] | None = None
    """Settings to files. Pure. Call it through `rendered`."""
    check: Callable[[Paths, Settings, Files], list[Problem]] | None = None
    """Ask the consumer's own checker about files that are not in place yet. May write below /run/pinwheel/candidate.
    Problems have no line. Raises OSError when a candidate cannot be written."""
    restart: tuple[UnitAction, ...] = ()
    """What is done when one of its files has changed. Nothing at boot: units are ordered after it."""
    activate: Callable[[Paths, Settings, Settings], list[Problem]] | None = None
    """Effects that no unit has: (paths, old settings, new settings) -> problems, which have no line. At boot the old
    ones are the defaults. Calling it with both exchanged takes the effects back."""
    fallback: Callable[[Settings], Settings] | None = None
    """What boot takes in place of settings that `check` refuses; without it, the defaults of all that it reads."""
    by_default: bool = False
    """Whether it has files, or something to activate, even where all that it reads has its defaults."""
    engine_waits: bool = True
    """Whether boot starts the engine only when the service has what it is to have, effects included."""
    secret: tuple[str, ...] = ()
    """Those of `owned` that hold secrets: mode 0600, in no support bundle."""


class Lazy:
    """A function of a module that is imported when the function is first called."""

    __slots__ = ("_module", "_name")

    def __init__(self, module: str, name: str) -> None:
        self._module = module
        self._name = name

    def __call__(self, *arguments: Any) -> Any:  # noqa: ANN401 - what it is, `Service` declares
        """Call it."""
        return self.load()(*arguments)

    def load(self) -> Callable[..., Any]:
        """Import it.

        Raises:
            ImportError, AttributeError: there is no such function.
        """
        function: Callable[..., Any] = getattr(import_module(self._module), self._name)
        return function


def value_at(settings: Settings, prefix: str) -> Any:  # noqa: ANN401 - any setting
    """Give the value of a prefix below `settings`.

    Raises:
        AttributeError: the model has no such setting.
    """
    return attrgetter(prefix.replace("-", "_"))(settings)


def reads_change(service: Service, old: Settings, new: Settings) -> bool:
    """Say whether the two differ in anything that a service reads."""
    return any(value_at(old, prefix) != value_at(new, prefix) for prefix in service.settings)


def has_work(service: Service, settings: Settings) -> bool:
    """Say whether a service has files or effects under these settings; its module need not be imported otherwise."""
    return service.by_default or reads_change(service, type(settings)(), settings)


def rendered(service: Service, settings: Settings) -> Files:
    """Give the files that a service is to have."""
    return service.render(settings) if service.render and has_work(service, settings) else {}


def fallen_back(service: Service, settings: Settings) -> Settings:
    """Give settings in which what a service cannot take has fallen."""
    return service.fallback(settings) if service.fallback else with_defaults(settings, service.settings)


def with_defaults(settings: Settings, prefixes: Iterable[str]) -> Settings:
    """Give settings in which these prefixes have their defaults."""
    import msgspec

    def without(table: Any, names: list[str]) -> Any:  # noqa: ANN401 - any table of settings
        first, *rest = names
        value = without(getattr(table, first), rest) if rest else getattr(type(table)(), first)
        return msgspec.structs.replace(table, **{first: value})

    for prefix in prefixes:
        settings = without(settings, prefix.replace("-", "_").split("."))
    return settings
