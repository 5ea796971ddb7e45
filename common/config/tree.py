"""The configuration as a tree of statements whose words are checked, before it has a meaning."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set as AbstractSet
from types import MappingProxyType

from pyhad.common.config.keyword import Keyword
from pyhad.common.config.source import Line, Location
from pyhad.common.config.values import Value
from pyhad.common.records import dataclass, field

_FEW = 8
"""So few children are looked at one by one: an index of each small block would be the largest thing in the tree."""
_NO_OPTIONS: Mapping[str, tuple[Value, ...]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Said:
    """One option as it stood in its line. `tail` is the text after `encap mpls` and `encap ila`, which has no word."""

    name: str
    """Canonical; `nexthop: weight` and `encap ip: id` are the options that belong to another."""
    values: tuple[Value, ...]
    leading: tuple[str, ...]
    tail: str
    column: int


@dataclass(slots=True)
class Statement:
    """One keyword with its values and, for a block, what stands in it.

    For a line of a value block `keyword` is the block's own row and `options` holds what the line says.
    `bad` are the names inside that had errors: they count as given, so that nobody complains that they are missing.
    `broken` says that its own line had an error. Most statements are single words with a value: what they do not have
    costs them nothing.
    """

    keyword: Keyword
    line: Line
    values: tuple[Value, ...] = ()
    options: Mapping[str, tuple[Value, ...]] = field(default_factory=lambda: _NO_OPTIONS)
    said: Sequence[Said] = ()
    """The options in their order, of lines in which one may stand several times (routes, rules)."""
    children: Sequence[Statement] = ()
    bad: AbstractSet[str] = frozenset()
    broken: bool = False
    _last: dict[str, Statement] | None = None
    """Good children by name, made at the first look: the tree is complete by then."""

    @property
    def name(self) -> str:
        """Canonical name of the keyword."""
        return self.keyword.canonical

    @property
    def at(self) -> Location:
        """Where it stands."""
        return self.line.at

    def text(self, index: int = 0) -> str:
        """A value that is text."""
        value = self.values[index]
        assert isinstance(value, str)
        return value

    def number(self, index: int = 0) -> int:
        """A value that is a number or a time in ns."""
        value = self.values[index]
        assert isinstance(value, int)
        return value

    # ----------------------------------------------------------------------------- filling it

    def add(self, children: Iterable[Statement]) -> None:
        """What stands in it, further on."""
        if isinstance(self.children, list):
            self.children.extend(children)
        else:
            self.children = [*self.children, *children] if self.children else tuple(children)

    def spoil(self, name: str) -> None:
        """A statement of this name inside had an error."""
        self.bad = self.bad | {name}

    def set_option(self, name: str, values: tuple[Value, ...]) -> None:
        """What its line says."""
        if isinstance(self.options, dict):
            self.options[name] = values
        else:
            self.options = {name: values}

    def say(self, said: Said) -> None:
        """One more option of its line."""
        self.said = (*self.said, said)

    # ----------------------------------------------------------------------------- looking into a block

    def every(self, name: str) -> Iterator[Statement]:
        """The good statements of this name, in order."""
        return (child for child in self.children if child.keyword.canonical == name and not child.broken)

    def last(self, name: str) -> Statement | None:
        """The good statement of this name that counts: the last one."""
        children = self.children
        if not children:
            return None
        if len(children) < _FEW:
            found = None
            for child in children:
                if child.keyword.canonical == name and not child.broken:
                    found = child
            return found
        if self._last is None:
            self._last = {child.name: child for child in self.children if not child.broken}
        return self._last.get(name)

    def first(self, name: str) -> Statement | None:
        """The good statement of this name that stands first: it counts where a second one is refused."""
        return next(self.every(name), None)

    def given(self, name: str) -> bool:
        """Whether the name was used at all, rightly or wrongly."""
        return name in self.bad or any(child.keyword.canonical == name for child in self.children)

    def has(self, name: str) -> bool:
        """A flag, or a boolean keyword that is on."""
        return self.switch(name, default=False)

    def switch(self, name: str, *, default: bool) -> bool:
        """A boolean keyword; bare means on."""
        found = self.last(name)
        if found is None:
            return default
        return bool(found.values[0]) if found.values else True

    def number_of(self, name: str, default: int) -> int:
        """First value of a keyword that takes a number or a time."""
        found = self.last(name)
        return found.number() if found is not None and found.values else default

    def text_of(self, name: str, default: str = "") -> str:
        """First value of a keyword that takes text."""
        found = self.last(name)
        return found.text() if found is not None and found.values else default
