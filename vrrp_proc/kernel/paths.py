"""Routes and policy rules into the kernel and out of it, in one batch with the addresses. Decides nothing about VRRP.

No dump is ever made: adding says EEXIST where the very same one is there, so adding again is also how it is found out
what is missing. A machine with a million routes of others costs nothing.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable

from pyhad.common.config.model.routes import Path, Placement, VirtualRoute
from pyhad.common.records import dataclass, field
from pyhad.vrrp_proc.kernel import netlink_paths
from pyhad.vrrp_proc.kernel.links import Links
from pyhad.vrrp_proc.kernel.netlink_paths import IndexOf
from pyhad.vrrp_proc.kernel.route_socket import RouteSocket

_NOT_THERE = (
    errno.ESRCH, errno.ENOENT, errno.ENODEV, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EOPNOTSUPP,
)  # fmt: skip
_REMEDIES = {
    errno.ENETUNREACH: "the gateway is in no network of an interface that is up: name one with dev, or say onlink",
    errno.ENETDOWN: "its interface is down: it is tried again when it comes up",
    errno.ENODEV: "its interface does not exist: it is tried again when it appears",
    errno.ENONET: "its interface is down: it is tried again when it comes up",
    errno.EHOSTUNREACH: "the gateway cannot be reached: it is tried again when addresses or interfaces change",
    errno.EINVAL: "the kernel finds no sense in it: is the src address on this machine, the gateway in a network?",
    errno.EEXIST: "another route to there exists, and this one says add: say prepend or append",
    errno.EOPNOTSUPP: "this kernel lacks the feature: load its module (mpls_iptunnel, ila) or leave the option out",
    errno.ENOENT: "what it refers to does not exist",
    errno.EAFNOSUPPORT: "this kernel has no rules or routes of that family: IPv6, or policy routing, is missing",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the kernel refused. `detail` is its own word, empty where it has none."""

    path: Path
    errno: int
    detail: str = ""

    def remedy(self) -> str:
        """What an operator may do about it."""
        return _REMEDIES.get(self.errno, "")


@dataclass(frozen=True, slots=True)
class PathOutcome:
    """What came of one batch, as `addresses.Outcome`."""

    done: tuple[Path, ...] = ()
    already: tuple[Path, ...] = ()
    failed: tuple[Refusal, ...] = ()


@dataclass(slots=True)
class Rider:
    """Messages on their way, to be sent with others. `failed` and `already` are those that needed no message."""

    adding: bool
    messages: list[tuple[int, bytes]] = field(default_factory=list)
    asked: dict[int, Path] = field(default_factory=dict)
    already: list[Path] = field(default_factory=list)
    failed: list[Refusal] = field(default_factory=list)


class Paths:
    """Encodes by the interfaces as they are at the moment of the order."""

    def __init__(self, route: RouteSocket, links: Links) -> None:
        self._route = route
        self._links = links

    def adding(self, paths: Iterable[Path]) -> Rider:
        """Messages that put all into the kernel. One whose interface is missing has failed with ENODEV."""
        return self._encode(Rider(adding=True), paths, netlink_paths.encode_route_add, netlink_paths.encode_rule_add)

    def removing(self, paths: Iterable[Path]) -> Rider:
        """Messages that take all out. One whose interface is missing is out already."""
        remove_route, remove_rule = netlink_paths.encode_route_remove, netlink_paths.encode_rule_remove
        return self._encode(Rider(adding=False), paths, remove_route, remove_rule)

    def _encode(
        self,
        rider: Rider,
        paths: Iterable[Path],
        encode_route: Callable[[VirtualRoute, int, IndexOf, int], bytes],
        encode_rule: Callable[..., bytes],
    ) -> Rider:
        index_of = self._index_of if rider.adding else self._index_once_of
        for path in paths:
            sequence = self._route.next_sequence()
            try:
                if isinstance(path, VirtualRoute):
                    message = encode_route(path, self._table(path), index_of, sequence)
                else:
                    message = encode_rule(path, sequence)
            except KeyError:
                if rider.adding:
                    rider.failed.append(Refusal(path, errno.ENODEV))
                else:
                    rider.already.append(path)
                continue
            rider.asked[sequence] = path
            rider.messages.append((sequence, message))
        return rider

    def settle(self, rider: Rider, answers: dict[int, int]) -> PathOutcome:
        """Sort by the kernel's answers to the last order, of which the rider's messages were a part."""
        done: list[Path] = []
        already, failed = rider.already, rider.failed
        for sequence, path in rider.asked.items():
            number = answers.get(sequence, errno.EIO)
            if number == 0:
                done.append(path)
            elif number in ((errno.EEXIST,) if rider.adding else _NOT_THERE):
                already.append(path)
            else:
                failed.append(Refusal(path, number, self._route.details.get(sequence, "")))
        return self._without_strangers(PathOutcome(tuple(done), tuple(already), tuple(failed)), rider.adding)

    def _without_strangers(self, outcome: PathOutcome, adding: bool) -> PathOutcome:
        """To a route that says `add`, EEXIST may mean another one: ask whether it is the very same."""
        doubtful = {
            self._route.next_sequence(): path
            for path in outcome.already
            if adding and isinstance(path, VirtualRoute) and path.placement is Placement.ADD and path.family == 4
        }
        if not doubtful:
            return outcome
        asked = [
            (sequence, netlink_paths.encode_route_probe(path, self._table(path), self._index_of, sequence))
            for sequence, path in doubtful.items()
        ]
        answers = self._route.order(asked)
        others = [path for sequence, path in doubtful.items() if answers[sequence] != errno.EEXIST]
        return PathOutcome(
            outcome.done,
            tuple(path for path in outcome.already if path not in others),
            (*outcome.failed, *(Refusal(path, errno.EEXIST) for path in others)),
        )

    def add(self, paths: Iterable[Path]) -> PathOutcome:
        """Put all in, as an order of their own."""
        rider = self.adding(paths)
        return self.settle(rider, self._route.order(rider.messages))

    def remove(self, paths: Iterable[Path]) -> PathOutcome:
        """Take all out, as an order of their own."""
        rider = self.removing(paths)
        return self.settle(rider, self._route.order(rider.messages))

    def _index_of(self, name: str) -> int:
        return self._links.by_name[name].index

    def _index_once_of(self, name: str) -> int:
        found = self._links.once_named(name)
        if found is None:
            raise KeyError(name)
        return found.index

    def _table(self, route: VirtualRoute) -> int:
        """Raises KeyError when the VRF is not there."""
        if not route.vrf:
            return route.table
        details = self._links.by_name[route.vrf].details
        if details.kind != "vrf":
            raise KeyError(route.vrf)
        return details.mode
