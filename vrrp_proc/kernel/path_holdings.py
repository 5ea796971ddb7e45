"""Which holder (a virtual router, or the process itself) has put which route or rule into the kernel.

What another holder needs too is not taken out; what was there already and is not marked as ours stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pyhad.common.config.model.routes import PROTOCOL_KEEPALIVED, Path, VirtualRoute
from pyhad.vrrp_proc.kernel.netlink_paths import RouteGone, RuleGone
from pyhad.vrrp_proc.kernel.paths import PathOutcome, Paths, Rider

Gone = RouteGone | RuleGone
_WholeKey = tuple[int, str, int, int]


class PathHoldings:
    """Wraps `Paths` with the memory of who holds what."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._holders: dict[Path, list[object]] = {}
        self._foreign: set[Path] = set()
        self._by_key: dict[_WholeKey, set[Path]] = {}

    def adding(self, paths: Iterable[Path]) -> Rider:
        """Messages for `paths`; then `added`."""
        return self._paths.adding(paths)

    def added(self, holder: object, rider: Rider, answers: dict[int, int], *, owns_found: bool) -> PathOutcome:
        """The kernel has answered: from now on `holder` has them, refused ones too, for they may come later."""
        outcome = self._paths.settle(rider, answers)
        self._foreign.difference_update(outcome.done)
        for path in outcome.already:
            if path.protocol != PROTOCOL_KEEPALIVED and not owns_found and path not in self._holders:
                self._foreign.add(path)
        for path in (*outcome.done, *outcome.already, *(refusal.path for refusal in outcome.failed)):
            self._note(holder, path)
        return outcome

    def removing(self, holder: object, paths: Iterable[Path]) -> Rider:
        """Messages for those that nobody else holds and that are ours. The last come out first (NET-2)."""
        removable = []
        for path in reversed(list(paths)):
            held = holder in self._holders.get(path, ())
            self._forget(holder, path)
            unmarked = path.protocol != PROTOCOL_KEEPALIVED and not held
            if path in self._holders or unmarked:
                continue
            if path in self._foreign:
                self._foreign.discard(path)
            else:
                removable.append(path)
        return self._paths.removing(removable)

    def removed(self, rider: Rider, answers: dict[int, int]) -> PathOutcome:
        """The kernel has answered."""
        return self._paths.settle(rider, answers)

    def discard(self, paths: Iterable[Path]) -> PathOutcome:
        """Take out those that nobody here holds, as an order of their own."""
        return self._paths.remove([path for path in paths if path not in self._holders])

    def release(self, holder: object, paths: Iterable[Path]) -> None:
        """`holder` is gone; what it did not remove stays where it is."""
        for path in paths:
            self._forget(holder, path)

    def held(self) -> bool:
        """Whether anybody holds anything."""
        return bool(self._holders)

    def led_by(self, wanted: Callable[[Path], bool]) -> list[tuple[object, Path]]:
        """(holder, path) of all that is wanted."""
        return [(holder, path) for path, holders in self._holders.items() if wanted(path) for holder in holders]

    def meant_by(self, gone: Gone) -> list[tuple[object, Path]]:
        """Holders with what they may have lost: the kernel names less than we know."""
        return [(holder, path) for path in self._by_key.get(_key_of(gone), ()) for holder in self._holders[path]]

    def _note(self, holder: object, path: Path) -> None:
        holders = self._holders.setdefault(path, [])
        if holder not in holders:
            holders.append(holder)
        self._by_key.setdefault(_key(path), set()).add(path)

    def _forget(self, holder: object, path: Path) -> None:
        holders = self._holders.get(path)
        if holders is None or holder not in holders:
            return
        holders.remove(holder)
        if not holders:
            del self._holders[path]
            left = self._by_key[_key(path)]
            left.discard(path)
            if not left:
                del self._by_key[_key(path)]


def _key(path: Path) -> _WholeKey:
    """Without the table: that of a VRF is known to the kernel only."""
    if isinstance(path, VirtualRoute):
        return path.family, path.destination, path.prefix_len, -1
    return path.family, "", 0, path.priority


def _key_of(gone: Gone) -> _WholeKey:
    if isinstance(gone, RouteGone):
        return gone.family, gone.destination, gone.prefix_len, -1
    return gone.family, "", 0, gone.priority
