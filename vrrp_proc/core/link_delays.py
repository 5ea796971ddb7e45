"""Links as they count, with the delays of `interface_up_down_delays` (FSM-46). Asks no kernel.

A link that changed counts as changed when it stayed so for its delay. The first time that it is up counts at once.
"""

from __future__ import annotations

from collections.abc import Mapping

from pyhad.common.config.model import VrrpInstance
from pyhad.common.config.model.tracking import InterfaceDelay
from pyhad.common.records import dataclass
from pyhad.vrrp_proc.core.timers import CENTISECOND_NS


def longest_delay_ns(config: VrrpInstance) -> int:
    """What this router can bear: peers must not lose patience while a dead link still counts as up."""
    interval_ns = config.advertisement_interval_cs * CENTISECOND_NS
    return max((config.down_timer_adverts - 1) * interval_ns - interval_ns // 256, 0)


@dataclass(slots=True)
class _Link:
    counts_up: bool = False
    was_up: bool = False
    changes_at_ns: int | None = None
    """When the other state will count, if it stays."""


class LinkDelays:
    """The interfaces that have delays; of all others nothing is kept."""

    def __init__(self) -> None:
        self._delays: dict[str, InterfaceDelay] = {}
        self._links: dict[str, _Link] = {}

    def configure(self, delays: Mapping[str, InterfaceDelay], instances: tuple[VrrpInstance, ...]) -> None:
        """Take over a document: what an interface's routers cannot bear is cut."""
        self._delays = {}
        for name, delay in delays.items():
            most = [longest_delay_ns(config) for config in instances if config.interface == name]
            least_ns = min(most, default=max(delay.down_ns, delay.up_ns))
            cut = InterfaceDelay(
                interface=name, down_ns=min(delay.down_ns, least_ns), up_ns=min(delay.up_ns, least_ns)
            )  # fmt: skip
            if cut.down_ns or cut.up_ns:
                self._delays[name] = cut
        self._links = {name: link for name, link in self._links.items() if name in self._delays}

    def counts_up(self, name: str, is_up: bool, now_ns: int) -> bool:
        """Whether the link counts as up, of which the kernel says `is_up` now. Ask at each change and when due."""
        delay = self._delays.get(name)
        if delay is None:
            return is_up
        link = self._links.setdefault(name, _Link(counts_up=is_up, was_up=is_up))
        if is_up == link.counts_up:
            link.changes_at_ns = None
            return is_up
        wait_ns = (delay.up_ns if is_up else delay.down_ns) if link.was_up else 0
        if link.changes_at_ns is None:
            link.changes_at_ns = now_ns + wait_ns
        if now_ns >= link.changes_at_ns:
            link.counts_up, link.changes_at_ns = is_up, None
            link.was_up = link.was_up or is_up
        return link.counts_up

    def next_deadline_ns(self) -> int | None:
        """When a link will count as what it is."""
        return min(
            (link.changes_at_ns for link in self._links.values() if link.changes_at_ns is not None), default=None
        )

    def due(self, now_ns: int) -> set[str]:
        """The interfaces to ask about now."""
        return {
            name
            for name, link in self._links.items()
            if link.changes_at_ns is not None and link.changes_at_ns <= now_ns
        }
