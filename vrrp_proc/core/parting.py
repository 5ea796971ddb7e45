"""Make before break: a router that gives mastership up, or gives way, goes on answering until the other does. Pure.

Priority 0 is sent at once; from then on the router is Active no more and advertises nothing. Its addresses stay, so
that clients are served while the others wait for their skew. They are removed
- `SUCCESSOR_GRACE_NS` after the first advertisement of a successor: it advertises before it installs (FSM-30), and
  what reaches us until its announcement is out would be lost otherwise;
- at the latest when the slowest of the others (priority 1) must have spoken, or when patience ends;
- at once when the router fails meanwhile: a fault is no place to serve from.
docs/decisions/0005-make-before-break.md has the reasons and the measurements.
"""

from __future__ import annotations

from dataclasses import replace

from pyhad.common.config.model import Path, VirtualAddress
from pyhad.vrrp_proc.core.duties import RouterDuties
from pyhad.vrrp_proc.core.effects import Effect, Remark, RemoveAddresses
from pyhad.vrrp_proc.core.events import AdvertisementReceived
from pyhad.vrrp_proc.core.packet import PRIORITY_RELEASE
from pyhad.vrrp_proc.core.states import Active, Chore, Parting
from pyhad.vrrp_proc.core.timers import (
    HIGHEST_OF_OTHERS,
    skew_time_ns,
    slowest_successor_ns,
)

SUCCESSOR_GRACE_NS = 50_000_000
"""From the successor's advertisement to our removal: the time a busy successor takes to install and to announce."""
ANNOUNCE_AFTER_RELEASE_NS = 2 * SUCCESSOR_GRACE_NS
"""A successor announces once more when its predecessor has let go for certain: both answered ARP for a moment."""

ANSWER_WINDOW_NS = SUCCESSOR_GRACE_NS
"""How exactly a successor keeps to its skew, with the way that our words and its own take."""

LEAST_PRIORITY = 1
"""Of the last word of who begins to listen: no rank that anybody gives way to."""


class RouterParting(RouterDuties):
    """The handing-over part of `VirtualRouter`."""

    def _part(self, patience_ns: int, now_ns: int) -> list[Effect]:
        """Leave Active of our own will; the caller enters the next state. Nothing in another state."""
        if not isinstance(self._state, Active):
            return []
        wait_ns = min(slowest_successor_ns(self.config), patience_ns)
        if wait_ns <= 0:
            return self._release(now_ns)
        remove_at_ns = now_ns + wait_ns
        self._parting = Parting(
            addresses=self.all_addresses, paths=self.paths, remove_at_ns=remove_at_ns, released_at_ns=now_ns
        )
        return [self._advertise(PRIORITY_RELEASE, now_ns)]

    def _part_for(self, successor: str, now_ns: int) -> None:
        """Leave Active because `successor` was heard; the caller enters the next state."""
        remove_at_ns = now_ns + SUCCESSOR_GRACE_NS
        self._parting = Parting(
            addresses=self.all_addresses, paths=self.paths, remove_at_ns=remove_at_ns, successor=successor
        )

    def _note_successor(self, event: AdvertisementReceived, now_ns: int) -> None:
        """An advertisement was heard; the first one of somebody who stays ends the waiting."""
        parting = self._parting
        if parting is None or parting.successor or event.priority == PRIORITY_RELEASE:
            return
        remove_at_ns = min(parting.remove_at_ns, now_ns + SUCCESSOR_GRACE_NS)
        is_unsure = parting.released_at_ns is not None and self._is_no_answer(event, now_ns - parting.released_at_ns)
        self._parting = replace(parting, successor=event.source, remove_at_ns=remove_at_ns, is_unsure=is_unsure)

    def _is_no_answer(self, event: AdvertisementReceived, after_ns: int) -> bool:
        """Who heard our priority 0 speaks when its skew is over. Members of a group may do so together."""
        priority, interval_cs = min(event.priority, HIGHEST_OF_OTHERS), self.config.advertisement_interval_cs
        skew_ns = skew_time_ns(self.config.version, priority, interval_cs)
        return not (self.config.sync_group or abs(after_ns - skew_ns) <= ANSWER_WINDOW_NS)

    def _part_in_time(self, now_ns: int) -> list[Effect]:
        parting = self._parting
        if parting is None or now_ns < parting.remove_at_ns:
            return []
        if parting.successor:
            remark = Remark(event="addresses_handed_over", fields={"successor": parting.successor})
        else:
            fields: dict[str, str | int] = {"addresses": len(parting.addresses)}
            remark = Remark(event="nobody_took_over", fields=fields, warning=True)
        has_slept = now_ns - parting.remove_at_ns > SUCCESSOR_GRACE_NS  # and its kernel answered for them all the time
        word = self._last_word(LEAST_PRIORITY, now_ns) if parting.is_unsure or has_slept else []
        return [*self._cut_parting(), *word, remark]

    def _cut_parting(self) -> list[Effect]:
        """Remove at once what is still held for a successor."""
        parting, self._parting = self._parting, None
        return [RemoveAddresses(addresses=parting.addresses, paths=parting.paths)] if parting is not None else []

    def _forget_parting(self) -> None:
        """The addresses are ours again, or are to stay for good."""
        self._parting = None

    def _part_from(self, kept: tuple[VirtualAddress, ...], kept_paths: tuple[Path, ...]) -> list[Effect]:
        """A reload: what is still held and is not among `kept` any more goes now."""
        parting = self._parting
        if parting is None:
            return []
        gone = tuple(virtual for virtual in parting.addresses if virtual not in kept)
        staying = tuple(virtual for virtual in parting.addresses if virtual in kept)
        paths_gone = tuple(path for path in parting.paths if path not in kept_paths)
        paths_staying = tuple(path for path in parting.paths if path in kept_paths)
        self._parting = replace(parting, addresses=staying, paths=paths_staying)
        return [RemoveAddresses(addresses=gone, paths=paths_gone)] if gone or paths_gone else []

    def _last_word(self, priority: int, now_ns: int) -> list[Effect]:
        """One advertisement of a router that held the addresses and does not go on.

        Whoever is Active announces its addresses again on hearing it (FSM-34); without it nobody may know that
        neighbours were answered by somebody else until now. It must rank below whoever is Active: one that ranked
        above would unseat it, and nobody would serve until we have listened.
        """
        return [self._advertise(priority, now_ns)] if self.config.higher_prio_send_advert else []

    def _announce_to_orphans(self, now_ns: int) -> list[Effect]:
        """Somebody else stops though we are Active: it may have answered for our addresses (FSM-32)."""
        state = self._state
        if not isinstance(state, Active) or now_ns < state.asserted_until_ns:
            return []
        self._state = replace(state, asserted_until_ns=now_ns + self._interval_ns() // 2)
        self._announce_after_release(now_ns)
        return self._announce(self.all_addresses, min(1, self.config.announcement.lower_prio_repeat))

    def _announce_after_release(self, now_ns: int) -> None:
        self._schedule((now_ns + ANNOUNCE_AFTER_RELEASE_NS, Chore.ANNOUNCE_AFTER_RELEASE))
