"""Our `dataclass` is the standard one in all that it takes, and refuses the rest."""

from __future__ import annotations

import copy
import dataclasses
import inspect
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings, strategies as st

from pyhad.common.records import dataclass

VALUES = st.integers(0, 2)


@st.composite
def field_lists(draw: st.DrawFn) -> list[tuple[str, Callable[[], Any]]]:
    """Names, and what makes the `field(...)` of each anew for either decorator; defaults come after what has none."""
    found: list[tuple[str, Callable[[], Any]]] = []
    names = draw(st.lists(st.sampled_from(["name", "set", "hash", "other", "_set", "x", "y"]), unique=True, max_size=5))
    has_defaults = False
    for name in names:
        words: dict[str, Any] = {"repr": draw(st.booleans()), "compare": draw(st.booleans())}
        if draw(st.booleans()):
            words["kw_only"] = True
        has_default = draw(st.booleans()) or (has_defaults and "kw_only" not in words)
        has_defaults = has_defaults or (has_default and "kw_only" not in words)
        if has_default:
            value = draw(VALUES)
            words |= {"default": value} if draw(st.booleans()) else {"default_factory": lambda value=value: value}
        found.append((name, lambda words=words: dataclasses.field(**words)))  # type: ignore[misc]
    return found


def both(field_list: list[tuple[str, Callable[[], Any]]], **words: bool) -> tuple[Any, Any]:
    """The same class made by the standard decorator and by ours."""
    made = []
    for decorator in (dataclasses.dataclass, dataclass):
        body = {name: make() for name, make in field_list}
        annotations = {name: "int" for name, _ in field_list}
        kind = type("Record", (), {"__module__": __name__, "__annotations__": annotations, **body})
        made.append(decorator(**words)(kind))  # type: ignore[call-overload]
    return made[0], made[1]


def shape(function: Callable[..., object]) -> list[tuple[str, object, bool]]:
    """Names, kinds, and whether there is a default."""
    parameters = inspect.signature(function).parameters.values()
    return [(one.name, one.kind, one.default is inspect.Parameter.empty) for one in parameters]


def said(work: Callable[[], object]) -> object:
    """What it returns, or what it raises."""
    try:
        return work()
    except (TypeError, AttributeError) as error:
        return type(error), str(error).replace("object", "")


@settings(max_examples=200, deadline=None, print_blob=True)
@given(
    field_lists(),
    st.fixed_dictionaries({one: st.booleans() for one in ("frozen", "slots", "kw_only", "eq")}),
    st.lists(VALUES, min_size=10, max_size=10),
)
def test_it_is_the_standard_one(
    field_list: list[tuple[str, Callable[[], Any]]], words: dict[str, bool], values: list[int]
) -> None:
    standard, ours = both(field_list, **words)
    assert shape(ours.__init__) == shape(standard.__init__)
    assert ours.__match_args__ == standard.__match_args__
    assert vars(ours).get("__slots__") == vars(standard).get("__slots__")
    assert ours.__hash__ is standard.__hash__ or (callable(ours.__hash__) and callable(standard.__hash__))
    given = [{name: value for (name, _), value in zip(field_list, values[start:], strict=False)} for start in (0, 5)]
    results = []
    for kind in (standard, ours):
        one, two = kind(**given[0]), kind(**given[1])
        first = field_list[0][0] if field_list else None  # of a frozen one without fields the standard error is none
        results.append(
            [
                repr(one),
                one == two,
                one == kind(**given[0]),
                one == 1,
                hash(one) == hash(kind(**given[0])) if words["eq"] and words["frozen"] else None,
                dataclasses.asdict(dataclasses.replace(one, **given[1])),
                dataclasses.asdict(copy.copy(one)),
                [(each.name, each.compare, each.repr, each.kw_only) for each in dataclasses.fields(one)],
                said(lambda kind=kind: repr(kind())),  # type: ignore[misc]
                said(lambda kind=kind: kind(colour=1)),  # type: ignore[misc]
                first and said(lambda one=one, first=first: setattr(one, first, 9)),  # type: ignore[misc]
                first and said(lambda one=one, first=first: delattr(one, first)),  # type: ignore[misc]
            ]
        )
    assert results[1] == results[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Frozen."""

    name: str
    tags: tuple[str, ...] = dataclasses.field(default_factory=lambda: ("new",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standby(Server):
    """With the fields of another."""

    after: int


@dataclass(slots=True)
class Counter:
    """Not frozen."""

    start: int
    steps: list[int] = dataclasses.field(default_factory=list)


def test_a_factory_makes_each_its_own() -> None:
    first, second = Counter(1), Counter(2, [5])
    first.steps.append(7)
    assert (first.steps, second.steps, Counter(3).steps) == ([7], [5], [])


def test_a_derived_one_has_the_fields_of_its_base_and_is_none() -> None:
    made = Standby(name="a", after=3)
    assert repr(made) == "Standby(name='a', tags=('new',), after=3)"
    assert made != Server(name="a")
    assert {made, Standby(name="a", after=3)} == {made}


class Plain:
    """A class to be decorated."""

    name: int


class Initialised(Plain):
    """Something would have to be called."""

    def __post_init__(self) -> None:
        raise AssertionError


class Shared:
    """A field of the class."""

    count: ClassVar[int] = 0


class Passing:
    """Only for `__post_init__`."""

    given: dataclasses.InitVar[int]


class Hashed:
    """A field that says more than whether it counts."""

    name: int = dataclasses.field(hash=False)


class Computed:
    """A field that nobody gives."""

    name: int = dataclasses.field(init=False)


@pytest.mark.parametrize("kind", [Initialised, Shared, Passing, Hashed, Computed])
def test_what_is_not_made_here_is_refused(kind: type) -> None:
    with pytest.raises(TypeError, match=f"^{kind.__name__}.*standard library"):
        dataclass(frozen=True)(kind)


@pytest.mark.parametrize("word", ["order", "unsafe_hash", "init", "repr", "match_args", "weakref_slot"])
def test_arguments_that_are_not_made_here_are_refused(word: str) -> None:
    with pytest.raises(TypeError, match=word):
        dataclass(**{word: True})(Plain)  # type: ignore[call-overload]


def test_frozen_and_not_frozen_do_not_mix() -> None:
    with pytest.raises(TypeError, match=r"^Loose and Server must both be frozen here, or neither$"):
        dataclass(slots=True)(type("Loose", (Server,), {}))
    with pytest.raises(TypeError, match=r"^Firm and Counter must both be frozen here, or neither$"):
        dataclass(frozen=True)(type("Firm", (Counter,), {}))
