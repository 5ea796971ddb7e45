"""Items of a report packed for a field of `Sequence[T]`, so that who only hands them on need not read them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from pyhad.common.codec import encode


def seal(items: Iterable[object]) -> bytes:
    """Items as one part of a `Sealed`."""
    return encode(list(items))


def packed(items: Iterable[object], most: int = 500) -> Iterator[bytes]:
    """Items as the parts of a `Sealed`, so many in each at most."""
    rest = iter(items)
    while part := list(itertools.islice(rest, most)):
        yield seal(part)
