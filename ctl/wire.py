"""What was heard on the wire beside our own configuration: sentences for a person. Pure.

`Listener` says of a stream of frames only what is new: the first advert of a sender, and each that differs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pyhad.common.config.model import VrrpInstance
from pyhad.ctl.frames import Advert, Announcement, Heard


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


def compare(advert: Advert, instances: tuple[VrrpInstance, ...], own_addresses: frozenset[str]) -> tuple[str, ...]:
    """What is remarkable about an advert, given our instances; empty when all fits."""
    ours = [one for one in instances if one.vrid == advert.vrid and one.family == advert.family]
    if not ours:
        known = ", ".join(str(one.vrid) for one in instances) or "none"
        return (*advert.faults, f"no virtual router of ours has VRID {advert.vrid} (ours: {known})")
    if advert.source in own_addresses:
        return advert.faults
    return (*advert.faults, *_differences(advert, ours[0]))


def _differences(advert: Advert, ours: VrrpInstance) -> Iterator[str]:
    who, name = advert.source, f"'{ours.name}'"
    if advert.version != ours.version:
        yield f"{who} speaks version {advert.version}, ours ({name}) is {ours.version}: neither hears the other"
    elif advert.interval_cs != ours.advertisement_interval_cs:
        result = "we drop it, both may be master" if ours.version == 2 else "we follow the sender's while it is master"
        own_s = ours.advertisement_interval_cs / 100
        yield f"{who} sends advert_int {advert.interval_cs / 100:g}, ours ({name}) is {own_s:g}: {result}"
    if advert.priority == ours.base_priority and advert.priority not in (0, 255):
        yield f"{who} has our own priority {advert.priority}: the greater address wins"
    if advert.priority == 255 == ours.base_priority:
        yield f"{who} claims to own the addresses, and so do we"
    theirs, own = set(advert.addresses), {one.address for one in ours.addresses}
    if theirs - own:
        yield f"{who} serves {' '.join(sorted(theirs - own))}, which we do not have in {name}"
    if own - theirs:
        yield f"{who} does not serve {' '.join(sorted(own - theirs))} of {name}"
    if advert.authentication != "none":
        yield f"{who} authenticates ({advert.authentication}); look whether {name} does the same"
    if advert.family == 4 and advert.destination != ours.multicast_group:
        yield f"{who} sends to {advert.destination}, we listen to {ours.multicast_group}"


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
