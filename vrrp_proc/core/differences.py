"""What a reload takes away and what it adds, of addresses, routes or rules. Pure.

Whether something is tracked is nothing to the kernel: it changes hands without a moment's absence.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from pyhad.common.config.model import VirtualAddress, VirtualRoute, VirtualRule

_T = TypeVar("_T", VirtualAddress, VirtualRoute | VirtualRule)


def differences(old: tuple[_T, ...], new: tuple[_T, ...]) -> tuple[tuple[_T, ...], tuple[_T, ...]]:
    """(gone, added), each in its own order."""
    before, after = {replace(one, tracked=True) for one in old}, {replace(one, tracked=True) for one in new}
    gone = tuple(one for one in old if replace(one, tracked=True) not in after)
    added = tuple(one for one in new if replace(one, tracked=True) not in before)
    return gone, added
