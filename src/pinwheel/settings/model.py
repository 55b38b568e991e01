# SPDX-License-Identifier: Apache-2.0 OR MIT
"""How a setting is declared, and how the tree of settings is walked.

One declaration per setting carries everything that is known of it: type, default, description, unit, allowed values,
example. The parser, the reference page, the JSON schema and the node's messages are all derived from it, so they cannot
disagree.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, SecretStr, create_model
from pydantic.config import JsonDict
from pydantic.fields import FieldInfo

Root = TypeVar("Root", bound="Namespace")


def kebab(name: str) -> str:
    """Give the name that users write for a Python field: `log_driver` is `log-driver`."""
    return name.replace("_", "-")


class Namespace(BaseModel):
    """A table of settings. Fields are declared with `setting`; users write their names in kebab case.

    Strict, because TOML and JSON both have types: `port = "2376"` is a mistake worth naming. Inputs stay out of
    pydantic's own messages, because some are secret.
    """

    model_config = ConfigDict(
        alias_generator=kebab,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        extra="forbid",
        frozen=True,
        strict=True,
        hide_input_in_errors=True,
        defer_build=True,  # only the root's validator is ever used: building one for each table costs start time
    )


def setting(
    default: Any,  # noqa: ANN401
    description: str,
    *,
    example: Any,  # noqa: ANN401
    unit: str = "",
    allowed: str = "",
    fallback: str = "",
    whole: bool = False,
) -> Any:  # noqa: ANN401 - what pydantic's own Field gives
    """Declare one setting.

    Args:
        default: the value without user data; None, an empty list or an empty table for "not set".
        description: one or two sentences for the reference page.
        example: a value that is valid, as TOML and JSON would hold it.
        unit: of a number or of a text that holds one.
        allowed: the values that are allowed, in words; a choice or a range says it by its type.
        fallback: what the node does when the value given is bad, where "the default is used" would say too little.
        whole: this table is good or bad as a whole: one bad value in it drops all of it.
    """
    extra: JsonDict = {"unit": unit, "allowed": allowed, "fallback": fallback, "whole": whole}
    return Field(default, description=description, examples=[example], json_schema_extra=extra)


class Setting(NamedTuple):
    """One declared setting and where it is in the tree."""

    path: tuple[str, ...]
    """The keys below `settings`, as users write them."""
    field: FieldInfo

    @property
    def example(self) -> Any:  # noqa: ANN401
        """A valid value."""
        return (self.field.examples or [None])[0]

    def note(self, name: str) -> Any:  # noqa: ANN401
        """Give one of the notes of the declaration: unit, allowed, fallback or whole."""
        extra = self.field.json_schema_extra
        return extra.get(name, "") if isinstance(extra, dict) else ""

    @property
    def nested(self) -> type[Namespace] | None:
        """The table's type when this is a table of settings, else None."""
        kind = self.field.annotation
        return kind if isinstance(kind, type) and issubclass(kind, Namespace) else None

    @property
    def has_free_keys(self) -> bool:
        """Whether the user chooses the keys below it (`kernel.sysctl`)."""
        return get_origin(self.field.annotation) is dict

    @property
    def secret(self) -> bool:
        """Whether its value must never be shown."""
        return _mentions(self.field.annotation, SecretStr)


def _mentions(annotation: Any, kind: type) -> bool:  # noqa: ANN401
    return annotation is kind or any(_mentions(argument, kind) for argument in get_args(annotation))


def children(model: type[Namespace], prefix: tuple[str, ...] = ()) -> dict[str, Setting]:
    """Give the settings directly in a table, by the key that users write."""
    return {
        key: Setting((*prefix, key), field)
        for key, field in ((field.alias or name, field) for name, field in model.model_fields.items())
    }


def walk(model: type[Namespace], prefix: tuple[str, ...] = ()) -> Iterator[Setting]:
    """Give every setting below a table that holds a value of its own, in the order of the declarations."""
    for entry in children(model, prefix).values():
        if entry.nested:
            yield from walk(entry.nested, entry.path)
        else:
            yield entry


def extended(root: type[Root], namespaces: Mapping[str, type[Namespace]]) -> type[Root]:
    """Give a root that knows further namespaces as well: how a variant's settings join without a change here.

    Args:
        root: the model to extend, usually `pinwheel.settings.tree.Settings`.
        namespaces: for each new namespace its Python name (`host_containers` is written `host-containers`) and its
            model, all of whose settings have defaults.

    Raises:
        ValueError: a name is taken already.
    """
    taken = sorted(set(namespaces) & set(root.model_fields))
    if taken:
        raise ValueError(f"these namespaces exist already: {', '.join(taken)}")
    fields: dict[str, Any] = {
        name: (model, Field(default_factory=model, description=(model.__doc__ or "").strip()))
        for name, model in namespaces.items()
    }
    return create_model(root.__name__, __base__=root, **fields)
