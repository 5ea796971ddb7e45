"""`dataclass` as the standard one, for less than half its price: one text to compile for each class.

Before Python 3.13 the standard decorator compiles up to six, which for the 420 classes of pyhad was a good quarter
of what importing costs (docs/decisions/0026-what-a-start-need-not-do.md). Here it only collects the fields and makes
the slots, so that `fields`, `replace`, `asdict`, `match` and type checkers see no difference; the methods are made
below. What pyhad does not use of it is refused with TypeError, never done by half.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, field
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass", "field"]

_OWN = ("__init__", "__post_init__", "__repr__", "__eq__", "__hash__", "__setattr__", "__delattr__")
"""Methods that are made here or never called: a class that has its own wants the standard decorator."""
_GLOBALS: dict[str, object] = {
    "__name__": __name__, "__dataclass_set__": object.__setattr__, "__dataclass_missing__": MISSING,
}  # fmt: skip

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(kind=None, /, *, frozen=False, slots=False, kw_only=False, eq=True):
        """As `dataclasses.dataclass`. Raises TypeError for a class that needs more than is made here."""

        def make(kind):
            return _make(kind, frozen=frozen, slots=slots, kw_only=kw_only, eq=eq)

        return make if kind is None else make(kind)


def _make(kind: type, *, frozen: bool, slots: bool, kw_only: bool, eq: bool) -> type:
    for name in _OWN:
        if name in vars(kind):
            raise TypeError(f"{kind.__qualname__} defines {name}: use the dataclass of the standard library")
    for base in kind.__mro__[1:]:
        if dataclasses.is_dataclass(base) and (base.__setattr__ is _refuse) is not frozen:
            raise TypeError(f"{kind.__qualname__} and {base.__qualname__} must both be frozen here, or neither")
    kind.__doc__ = kind.__doc__ or kind.__name__  # the standard text would describe an `__init__` not made yet
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots, kw_only=kw_only)(kind)
    fields = dataclasses.fields(made)
    if len(fields) != len(made.__dataclass_fields__):
        raise TypeError(f"{kind.__qualname__} has a ClassVar or an InitVar: use the dataclass of the standard library")
    for one in fields:
        if not one.init or one.hash is not None:
            raise TypeError(f"{kind.__qualname__}.{one.name} has init= or hash=: use the standard library's dataclass")
    methods = _compiled(fields, frozen=frozen, eq=eq)
    for name, method in methods.items():
        method.__qualname__ = f"{kind.__qualname__}.{name}"  # errors about arguments say it
    methods["__repr__"] = _repr_of(fields)
    if frozen:
        methods |= {"__setattr__": _refuse, "__delattr__": _refuse}
        if slots:
            methods |= {"__getstate__": _state, "__setstate__": _set_state}
    elif eq:
        methods["__hash__"] = None
    for name, method in methods.items():
        setattr(made, name, method)
    return made  # type: ignore[no-any-return]


def _compiled(fields: tuple[Field[Any], ...], *, frozen: bool, eq: bool) -> dict[str, Any]:
    """`__init__`, and `__eq__` and `__hash__` where they are wanted."""
    lines, defaults = _init(fields, frozen=frozen)
    names = ["__init__"]
    if eq:
        ours, theirs = ("".join(f"{who}.{one.name}," for one in fields if one.compare) for who in ("self", "other"))
        lines += [
            " def __eq__(self,other):",
            f"  return ({ours})==({theirs}) if other.__class__ is self.__class__ else NotImplemented",
        ]
        names.append("__eq__")
        if frozen:
            lines += [" def __hash__(self):", f"  return hash(({ours}))"]
            names.append("__hash__")
    text = "\n".join((f"def make({','.join(defaults)}):", *lines, f" return {','.join(names)},"))
    found: dict[str, Any] = {}
    exec(text, _GLOBALS, found)  # noqa: S102 - made of the names of fields, as the standard library does
    return dict(zip(names, found["make"](**defaults), strict=True))


def _init(fields: tuple[Field[Any], ...], *, frozen: bool) -> tuple[list[str], dict[str, object]]:
    """The lines of `__init__`, and the defaults by the names that they have there."""
    defaults: dict[str, object] = {}
    positional: list[str] = ["self"]
    named: list[str] = []
    body: list[str] = []
    for one in fields:
        words = value = one.name
        default = f"__dataclass_default_{one.name}__"
        if one.default is not MISSING:
            defaults[default] = one.default
            words = f"{one.name}={default}"
        elif one.default_factory is not MISSING:
            defaults[default] = one.default_factory
            words = f"{one.name}=__dataclass_missing__"
            value = f"{default}() if {one.name} is __dataclass_missing__ else {one.name}"
        (named if one.kw_only else positional).append(words)
        body.append(f"  __dataclass_set__(self,'{one.name}',{value})" if frozen else f"  self.{one.name}={value}")
    words = ",".join([*positional, *(["*", *named] if named else [])])
    return [f" def __init__({words}):", *(body or ["  pass"])], defaults


def _repr_of(fields: tuple[Field[Any], ...]) -> Callable[[Any], str]:
    form = ", ".join(f"{one.name}={{0.{one.name}!r}}" for one in fields if one.repr)

    def __repr__(self: Any) -> str:
        return f"{type(self).__qualname__}({form.format(self)})"

    return __repr__


def _refuse(_self: object, name: str, *value: object) -> None:
    raise FrozenInstanceError(f"cannot {'assign to' if value else 'delete'} field {name!r}")


def _state(self: Any) -> list[object]:
    """For `copy` and `pickle`, which cannot set the fields of what is frozen."""
    return [getattr(self, one.name) for one in dataclasses.fields(self)]


def _set_state(self: Any, state: list[object]) -> None:
    for one, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, one.name, value)
