"""What was heard on the wire beside our own configuration: sentences for a person. Pure.

`Listener` says of a stream of frames only what is new: the first advert of a sender, and each that differs.
"""

from __future__ import annotations

from collections.abc import Iterator

from pyhad.common.adverts import Advert, compare
from pyhad.common.config.model import VrrpInstance
from pyhad.common.records import dataclass, field
from pyhad.ctl.frames import Announcement, Heard


def describe(heard: Heard) -> str:
    """One line about what was heard."""
    if isinstance(heard, Announcement):
        return f"{heard.kind}: {heard.address} is at {heard.mac}"
    release = " (0: it stops being master)" if heard.priority == 0 else ""
    owner = " (255: address owner)" if heard.priority == 255 else ""
    secret = "" if heard.authentication == "none" else f", authentication {heard.authentication}"
    return (
        f"{heard.source} -> {heard.destination}: VRID {heard.vrid} version {heard.version} "
        f"priority {heard.priority}{release}{owner}, every {heard.interval_cs / 100:g} s{secret}, "
        f"addresses {' '.join(heard.addresses) or 'none'}"
    )


@dataclass
class Listener:
    """Counts what was heard and says what is new."""

    instances: tuple[VrrpInstance, ...]
    compares: bool
    own_addresses: frozenset[str] = frozenset()
    everything: bool = False
    _last: dict[tuple[str, int, int], Advert] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)

    def hear(self, heard: Heard) -> tuple[str, ...]:
        """Lines to print, none when it is as before; remarks begin with `!`."""
        if isinstance(heard, Announcement):
            self._count(f"{heard.kind} of {heard.address} by {heard.mac}")
            return (describe(heard),)
        key = (heard.source, heard.vrid, heard.family)
        self._count(f"adverts of {heard.source} for VRID {heard.vrid}")
        if self._last.get(key) == heard and not self.everything:
            return ()
        self._last[key] = heard
        remarks = compare(heard, self.instances, self.own_addresses) if self.compares else heard.faults
        return (describe(heard), *(f"! {remark}" for remark in remarks), *self._two_masters(heard))

    def summary(self) -> str:
        """How often what was heard."""
        if not self._counts:
            return "Nothing heard: no advertisement, gratuitous ARP or unsolicited NA."
        return "\n".join(f"{count} {what}" for what, count in self._counts.items())

    def _count(self, what: str) -> None:
        self._counts[what] = self._counts.get(what, 0) + 1

    def _two_masters(self, advert: Advert) -> Iterator[str]:
        for (source, vrid, family), other in self._last.items():
            if (vrid, family) == (advert.vrid, advert.family) and source != advert.source and other.priority:
                yield f"! VRID {vrid} was also sent by {source} (priority {other.priority}): a change, or two masters"
