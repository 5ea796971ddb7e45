"""What an observer's lines say of a span of time: gaps, holders, changes of the master. Touches nothing."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field

NODES = ("a", "b")


@dataclass(slots=True)
class Sight:
    """All that was seen so far; feed it whole lines with `take`. Times are monotonic ns."""

    replies: list[int] = field(default_factory=list)
    heard: list[tuple[int, str, int]] = field(default_factory=list)
    """When, source address, priority."""
    moves: list[tuple[int, str, bool]] = field(default_factory=list)
    """When, node, whether the address came: a lease that is renewed moves nothing."""

    def take(self, lines: Iterable[str]) -> None:
        """In their order."""
        for line in lines:
            at, what, *rest = line.split()
            if what == "reply":
                self.replies.append(int(at))
            elif what == "heard":
                self.heard.append((int(at), rest[0], int(rest[1])))
            elif what in ("came", "went"):
                self._move(int(at), rest[0], what == "came")

    def _move(self, at_ns: int, node: str, came: bool) -> None:
        if came != (node in self.holders()):
            self.moves.append((at_ns, node, came))

    def holders(self) -> list[str]:
        """Who has the address as of the last line."""
        held = {node: came for _, node, came in self.moves}
        return [node for node in NODES if held.get(node, False)]

    def longest_gap_ns(self, since_ns: int, until_ns: int) -> int:
        """Longest time without a reply; a gap that began before counts whole, one that goes on up to the end."""
        before = [at for at in self.replies if at < since_ns][-1:]
        points = [*before, *(at for at in self.replies if since_ns <= at <= until_ns), until_ns]
        return max((later - earlier for earlier, later in itertools.pairwise(points)), default=until_ns - since_ns)

    def both_ns(self, since_ns: int, until_ns: int) -> tuple[int, bool]:
        """For how long two nodes held the address, and whether they still did at the end."""
        held, total, last_ns = dict.fromkeys(NODES, False), 0, since_ns
        for at, node, came in [*self.moves, (until_ns, "", False)]:
            if at > until_ns:
                continue
            if all(held.values()) and at > last_ns:
                total += at - last_ns
            last_ns = max(last_ns, at)
            if node:
                held[node] = came
        return total, all(held.values())

    def transitions(self, since_ns: int, until_ns: int, down_ns: int) -> int:
        """How often the master changed for who only listens, by the rules of a backup: somebody of no less priority
        speaks, or the master said 0 or nothing for `down_ns`. Adverts of lower priority are no news (RFC 9568 6.4.2).
        """
        leader, priority, last_ns, changes = "", 0, 0, 0
        for at, source, said in self.heard:
            is_leader = source == leader
            if at > until_ns or (not is_leader and (said == 0 or (said < priority and at - last_ns < down_ns))):
                continue
            changes += bool(leader) and not is_leader and at >= since_ns
            leader, priority, last_ns = source, said, at
        return changes
