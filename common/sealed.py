"""Thousands of items of one kind that travel packed: who only hands them on never opens them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar, overload

T = TypeVar("T")


class Sealed(Sequence[T]):
    """Items in packed `parts`. Iterating opens part after part with `opener` and keeps nothing of it.

    Whatever opens it raises what `opener` raises. Without one it can only be sent.
    """

    __slots__ = ("_opener", "parts")

    def __init__(self, parts: Iterable[bytes], opener: Callable[[bytes], Iterable[T]] | None = None) -> None:
        self.parts = tuple(parts)
        self._opener = opener

    def __iter__(self) -> Iterator[T]:
        if self._opener is None:
            raise TypeError("sealed for sending")
        for part in self.parts:
            yield from self._opener(part)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        return tuple(self)[index]
