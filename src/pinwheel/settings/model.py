# SPDX-License-Identifier: Apache-2.0 OR MIT
"""How a setting is declared, and how the tree of settings is walked.

One declaration per setting carries everything that is known of it: type, default, description, unit, allowed values,
example. The parser, the reference page and the node's messages are all derived from it, so they cannot disagree.

Structures are msgspec's, because a node reads its settings on the way to its first container: see
docs/decisions/0010-settings-on-msgspec.md. For the same reason most modules of declarations have
`from __future__ import annotations`: theirs are evaluated when a document has the table, which most boots' do not.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Annotated, Any, NamedTuple, TypeVar, get_args, get_origin

import msgspec

from pinwheel.settings.secret import Secret, hidden

Root = TypeVar("Root", bound="Namespace")
Conflict = tuple[str | tuple[str, str], str]
"""What `Namespace.conflicts` gives."""


class Namespace(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """A table of settings. Fields are declared with `setting`; users write their names in kebab case.

    A constructor checks nothing: it is for code. What users write goes through `pinwheel.settings.reading`.
    """

    def conflicts(self) -> Iterator[Conflict]:
        """Give what is wrong between values that are good by themselves.

        Each is what falls, and the words that say why. What falls is the Python name of a field, or that and a key
        where it is one entry of a field with free keys, or an empty text when every value given in the table does.
        """
        yield from ()


class Check(NamedTuple):
    """A rule in a type, beyond what msgspec's `Meta` says: `Annotated[str, Check(function)]`."""

    function: Callable[[Any], Any]
    """Gives the value to use, or raises ValueError with words that are followed by the value: `not a name: "a b"`."""
    accepts: str = ""
    """Set, it runs before the type is looked at, for values of another type that mean one of this type: these, as text
    of a JSON Schema. It raises nothing, and gives all other values back."""


def setting(
    description: str,
    *,
    example: Any,  # noqa: ANN401
    unit: str = "",
    allowed: str = "",
    fallback: str = "",
    whole: bool = False,
    reboot: bool = False,
    later: bool = False,
) -> msgspec.Meta:
    """Declare one setting, in the annotation of its field: `Annotated[int, ...] = 80`.

    The field's default is the value without user data; None, an empty list or an empty table for "not set".

    Args:
        description: one or two sentences for the reference page.
        example: a value that is valid, as TOML and JSON would hold it.
        unit: of a number or of a text that holds one.
        allowed: the values that are allowed, in words; a choice says it by its type.
        fallback: what the node does when the value given is bad, where "the default is used" would say too little.
        whole: this table is good or bad as a whole: one bad value in it drops all of it.
        reboot: a change takes effect at the next boot only; said of a table, it holds for all below it.
        later: it is checked and kept, but nothing reads it yet; said of a table, it holds for all below it.
    """
    notes = {"unit": unit, "allowed": allowed, "fallback": fallback, "whole": whole, "reboot": reboot, "later": later}
    return msgspec.Meta(description=description, examples=[example], extra=notes)


class Kind(NamedTuple):
    """A type, taken apart."""

    core: Any
    """The type without annotations and without None."""
    notes: tuple[Any, ...]
    """All annotations (`Meta`, `Check`), the innermost first."""


def kind_of(annotation: Any) -> Kind:  # noqa: ANN401
    """Take a type apart: `Annotated` and `X | None` in any order around one core."""
    if get_origin(annotation) is Annotated:
        inner = kind_of(annotation.__origin__)
        return Kind(inner.core, (*inner.notes, *annotation.__metadata__))
    options = get_args(annotation)
    if type(None) in options:
        return kind_of(next(option for option in options if option is not type(None)))
    return Kind(annotation, ())


class Declaration(NamedTuple):
    """What is known of one field."""

    name: str
    """In Python; `Setting.path` has what users write."""
    kind: Kind
    default: Any
    """`msgspec.NODEFAULT` where a value must be given."""
    meta: msgspec.Meta
    """What `setting` made; empty for a plain field."""

    @property
    def annotation(self) -> Any:  # noqa: ANN401
        """The type of its values."""
        return self.kind.core

    @property
    def description(self) -> str:
        """What it does."""
        return self.meta.description or ""


FREE_KEY = "NAME"
"""Stands in a path for a key that the user chooses."""


class Setting(NamedTuple):
    """One declared setting and where it is in the tree."""

    path: tuple[str, ...]
    """The keys below `settings`, as users write them."""
    field: Declaration
    above: frozenset[str] = frozenset()
    """Which of `reboot` and `later` are said of a table that it is in."""

    @property
    def example(self) -> Any:  # noqa: ANN401
        """A valid value."""
        return (self.field.meta.examples or [None])[0]

    def note(self, name: str) -> Any:  # noqa: ANN401
        """Give one of the notes of the declaration: unit, allowed, fallback, whole, reboot or later."""
        return (self.field.meta.extra or {}).get(name, "")

    @property
    def reboot(self) -> bool:
        """Whether a change takes effect at the next boot only."""
        return bool(self.note("reboot")) or "reboot" in self.above

    @property
    def later(self) -> bool:
        """Whether nothing reads it yet."""
        return bool(self.note("later")) or "later" in self.above

    @property
    def nested(self) -> type[Namespace] | None:
        """The table's type when this is a table of settings, else None."""
        return self.field.annotation if is_namespace(self.field.annotation) else None

    @property
    def entries(self) -> type[Namespace] | None:
        """The type of the entries of a table with free keys, or of the items of a list, when these are tables."""
        item = kind_of((get_args(self.field.annotation) or [None])[-1]).core
        return item if is_namespace(item) else None

    @property
    def has_free_keys(self) -> bool:
        """Whether the user chooses the keys below it (`kernel.sysctl`)."""
        return get_origin(self.field.annotation) is dict

    @property
    def secret(self) -> bool:
        """Whether its value is a text, or made of texts, that must never be shown."""
        return _mentions(self.field.annotation, Secret)

    def below(self) -> dict[str, "Setting"]:
        """Give the settings in this table, or in each of its entries (`FREE_KEY` is in their paths) or items."""
        model = self.nested or self.entries
        prefix = (*self.path, FREE_KEY) if self.has_free_keys else self.path
        above = frozenset(name for name in ("reboot", "later") if getattr(self, name))
        inner = children(model, prefix) if model else {}
        return {key: entry._replace(above=above) for key, entry in inner.items()}


def is_namespace(core: Any) -> bool:  # noqa: ANN401
    """Say whether a type is a table of settings."""
    return isinstance(core, type) and issubclass(core, Namespace)


def _mentions(annotation: Any, kind: type) -> bool:  # noqa: ANN401
    return annotation is kind or any(_mentions(argument, kind) for argument in get_args(annotation))


def mentions_secret(annotation: Any) -> bool:  # noqa: ANN401
    """Say whether a value of a type may hold a secret, at any depth of tables and lists."""
    core = kind_of(annotation).core
    if is_namespace(core):
        return any(mentions_secret(field.annotation) for field in _declarations(core).values())
    return core is Secret or any(mentions_secret(argument) for argument in get_args(core))


@cache
def children(model: type[Namespace], prefix: tuple[str, ...] = ()) -> dict[str, Setting]:
    """Give the settings directly in a table, by the key that users write. All get the same: leave it as it is."""
    return {key: Setting((*prefix, key), field) for key, field in _declarations(model).items()}


@cache
def _declarations(model: type[Namespace]) -> dict[str, Declaration]:
    return {field.encode_name: _declaration(field) for field in msgspec.structs.fields(model)}


def _declaration(field: msgspec.structs.FieldInfo) -> Declaration:
    kind = kind_of(field.type)
    made = (note for note in reversed(kind.notes) if isinstance(note, msgspec.Meta) and note.extra is not None)
    default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
    return Declaration(field.name, kind, default, next(made, msgspec.Meta()))


def walk(model: type[Namespace]) -> Iterator[Setting]:
    """Give every setting that holds a value of its own, in the order of the declarations.

    A table with free keys is one, and is followed by what its entries hold; a list is one.
    """
    for entry in children(model).values():
        yield from _walk(entry)


def _walk(entry: Setting) -> Iterator[Setting]:
    if not entry.nested:
        yield entry
    if entry.nested or entry.has_free_keys:
        for below in entry.below().values():
            yield from _walk(below)


def prefixes(model: type[Namespace], prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Give the path of every table and setting that is declared, a table before what is in it."""
    for entry in children(model, prefix).values():
        yield entry.path
        if entry.nested:
            yield from prefixes(entry.nested, entry.path)


def dump(settings: Namespace) -> dict[str, Any]:
    """Give settings as plain values under the keys that users write: what is in effect, so with defaults.

    Secrets are hidden; what is not set and has no default is left out.
    """
    plain: dict[str, Any] = _without_none(msgspec.to_builtins(settings, enc_hook=hidden))
    return plain


def _without_none(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    return [_without_none(item) for item in value] if isinstance(value, list) else value


def extended(root: type[Root], namespaces: Mapping[str, type[Namespace]]) -> type[Root]:
    """Give a root that knows further namespaces as well: how a variant's settings join without a change here.

    Args:
        root: the model to extend, usually `pinwheel.settings.tree.Settings`.
        namespaces: for each new namespace its Python name (`host_containers` is written `host-containers`) and its
            model, all of whose settings have defaults.

    Raises:
        ValueError: a name is taken already.
    """
    taken = sorted(set(namespaces) & set(root.__struct_fields__))
    if taken:
        raise ValueError(f"these namespaces exist already: {', '.join(taken)}")
    fields = [
        (name, Annotated[model, setting((model.__doc__ or "").strip(), example={})], model())
        for name, model in namespaces.items()
    ]
    return msgspec.defstruct(root.__name__, fields, bases=(root,))  # type: ignore[return-value]
