# SPDX-License-Identifier: Apache-2.0 OR MIT
"""Documents made from the declarations of settings: of the right shape everywhere, good values and bad ones mixed."""

from typing import Any, Literal, get_args, get_origin

from hypothesis import strategies as st

from pinwheel.settings.model import Namespace, children, is_namespace, kind_of
from pinwheel.settings.secret import Secret

TEXT = st.text(max_size=8)
KEYS = st.sampled_from(["a", "b", "eth0", "vm.max_map_count"]) | st.text(min_size=1, max_size=5)
_NUMBERS = st.floats(allow_nan=False, allow_infinity=False).map(lambda number: number + 0.0)  # no -0.0, which is 0.0
FREE: st.SearchStrategy[Any] = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63) | _NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
_SCALARS = {str: TEXT, Secret: TEXT, int: st.integers(-(2**63), 2**63), bool: st.booleans(), Any: FREE}


def documents(model: type[Namespace], most: int = 4) -> st.SearchStrategy[dict[str, Any]]:
    """Give documents in which every value has its declared type, with at most so many keys in each table."""
    choices = {key: values(entry.field.annotation, entry.example, most) for key, entry in children(model).items()}
    chosen = st.lists(st.sampled_from(sorted(choices)), unique=True, max_size=most)
    return chosen.flatmap(lambda keys: st.fixed_dictionaries({key: choices[key] for key in keys}))


def values(annotation: Any, example: Any = None, most: int = 4) -> st.SearchStrategy[Any]:
    """Give values of a type, its example among them."""
    core = kind_of(annotation).core
    if is_namespace(core):
        return st.deferred(lambda: documents(core, most))
    made = _made(core, most)
    return made if example is None else st.just(example) | made


def _made(core: Any, most: int) -> st.SearchStrategy[Any]:
    if get_origin(core) is Literal:
        return st.sampled_from(get_args(core))
    if get_origin(core) is list:
        return st.lists(values(get_args(core)[0], None, most), max_size=2)
    if get_origin(core) is dict:
        return st.dictionaries(KEYS, values(get_args(core)[1], None, most), max_size=2)
    return _SCALARS[core]
