"""Settings of the interfaces that virtual MACs stand on, put back at the end; and of IPv6 on the virtual MACs.

A base must answer ARP for its own addresses only, or it would say that a virtual address has its MAC (`arp_ignore`),
and must not ask in the name of a virtual address, or neighbours would learn the same from the question
(`arp_announce`). Reverse-path filtering of the whole machine in its strict form would drop what comes in by a virtual
MAC: it is moved from `all` to each interface, where it means the same to everybody else.

Where another daemon, keepalived too, has virtual MACs on the same base, it needs what we set there: it is left to it.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Collection, Iterable
from pathlib import Path

from pyhad.common.blackbox import key_of
from pyhad.common.log import FilteringBoundLogger
from pyhad.vrrp_proc.journal import Journal
from pyhad.vrrp_proc.kernel import link_orders
from pyhad.vrrp_proc.kernel.links import Links
from pyhad.vrrp_proc.kernel.route_socket import RouteSocket

_IPV4 = Path("/proc/sys/net/ipv4/conf")
_IPV6 = Path("/proc/sys/net/ipv6/conf")
_LOCAL_IGMP = Path("/proc/sys/net/ipv4/igmp_link_local_mcast_reports")
BASE = {"arp_ignore": 1, "arp_announce": 2}
"""Of an interface that a virtual MAC stands on."""
PROMOTED = {"promote_secondaries": 1}
"""Of one whose secondary addresses shall outlive the first of their network (NET-10)."""
_NUMBERS = {
    "arp_ignore": link_orders.ARP_IGNORE,
    "arp_announce": link_orders.ARP_ANNOUNCE,
    "promote_secondaries": link_orders.PROMOTE_SECONDARIES,
}
_STRICT = 1
_IGMP_KEY = key_of("membership reports")
_FILTER_KEY = key_of("reverse path filter")
_NOTE = struct.Struct("=iii")


class BaseSettings:
    """What it changes is journaled, so that a successor can put it back too."""

    def __init__(self, route: RouteSocket, links: Links, journal: Journal, logger: FilteringBoundLogger) -> None:
        self._route = route
        self._links = links
        self._journal = journal
        self._logger = logger
        self._before: dict[int, dict[str, int]] = {}
        """By index: settings as they were."""
        self._silenced_igmp = journal.noted(_IGMP_KEY) is not None
        self._moved_filter = journal.noted(_FILTER_KEY) is not None

    def fit(self, bases: Iterable[str], promoted: Iterable[str], shared: Collection[int]) -> None:
        """These are bases now, and those promote secondaries; what is neither any more gets its settings back.

        `shared`: the indices of interfaces that virtual MACs of others stand on.
        """
        wanted: dict[int, dict[str, int]] = {}
        for names, values in ((bases, BASE), (promoted, PROMOTED)):
            for name in names:
                if name in self._links.by_name:
                    wanted.setdefault(self._links.by_name[name].index, {}).update(values)
        for index, before in list(self._before.items()):
            if before.keys() - wanted.get(index, {}).keys():
                self._put_back(index, PROMOTED if index in shared else BASE | PROMOTED)
        for index, values in wanted.items():
            if index not in self._before or values.keys() != self._before[index].keys():
                self._set_up(index, values)
        if any("arp_ignore" in values for values in wanted.values()):
            self._move_filter()

    def allow_igmp(self, allowed: bool) -> None:
        """`disable_local_igmp`: no reports for 224.0.0.0/24 while not allowed, as before afterwards."""
        if allowed != self._silenced_igmp:
            return
        now = read_number(_LOCAL_IGMP)
        if not allowed and now == 0:  # somebody else's wish, not to be undone
            return
        if not allowed or now == 0:
            try:
                _LOCAL_IGMP.write_text("1" if allowed else "0")
            except OSError as error:
                self._logger.error("local_igmp_not_changed", path=str(_LOCAL_IGMP), error=os.strerror(error.errno or 0))
                return
        self._silenced_igmp = not allowed
        if allowed:
            self._journal.forget(_IGMP_KEY)
        else:
            self._journal.note(_IGMP_KEY, b"1")

    def restore(self, shared: Collection[int]) -> None:
        """The end."""
        self.fit((), (), shared)
        path = _IPV4 / "all" / "rp_filter"
        if self._moved_filter and not shared and read_number(path) == 0:
            path.write_text(str(_STRICT))

    def _set_up(self, index: int, wanted: dict[str, int]) -> None:
        name, noted = self._links.by_index[index].name, self._journal.noted(_key(index))
        left = _NOTE.unpack(noted) if noted is not None and len(noted) == _NOTE.size else (-1,) * len(_NUMBERS)
        known = {word: old for word, old in zip(_NUMBERS, left, strict=True) if old >= 0} | self._before.get(index, {})
        now = {word: read_number(_IPV4 / name / word) for word in wanted}
        self._before[index] = {word: known.get(word, now[word]) for word in wanted}
        self._journal.note(_key(index), _NOTE.pack(*(self._before[index].get(word, -1) for word in _NUMBERS)))
        if now != wanted:
            self._write(name, wanted)

    def _put_back(self, index: int, ours: dict[str, int]) -> None:
        """What is `ours` alone, and still has our value: somebody else may have changed it since."""
        before = self._before.pop(index)
        self._journal.forget(_key(index))
        if index not in self._links.by_index:
            return
        name = self._links.by_index[index].name
        back = {
            word: before[word]
            for word, value in ours.items()
            if before.get(word, -1) >= 0 and read_number(_IPV4 / name / word) == value
        }
        if back:
            self._write(name, back)

    def _write(self, name: str, values: dict[str, int]) -> None:
        sequence = self._route.next_sequence()
        settings = {_NUMBERS[word]: value for word, value in values.items()}
        number = self._route.order([(sequence, link_orders.encode_ipv4_settings(name, settings, sequence))])[sequence]
        if number:
            self._logger.error("interface_settings_refused", interface=name, error=os.strerror(number))

    def _move_filter(self) -> None:
        """As keepalived does: `max(all, own)` is what counts, so it is written into each own one first."""
        if read_number(_IPV4 / "all" / "rp_filter") != _STRICT:
            return
        ours = {
            link.name for link in self._links.by_index.values() if link.details.kind == "macvlan" and link.details.alias
        }
        try:
            for folder in _IPV4.iterdir():
                if folder.name != "all" and folder.name not in ours and read_number(folder / "rp_filter") == 0:
                    (folder / "rp_filter").write_text(str(_STRICT))
            (_IPV4 / "all" / "rp_filter").write_text("0")
        except OSError as error:
            self._logger.error(
                "strict_reverse_path_filter",
                error=os.strerror(error.errno or 0),
                remedy="set net.ipv4.conf.all.rp_filter to 0 or 2: packets to addresses on a virtual MAC are dropped",
            )
            return
        self._moved_filter = True
        self._journal.note(_FILTER_KEY, b"1")
        self._logger.warning("reverse_path_filter_moved", setting="net.ipv4.conf.all.rp_filter", to="each interface")


def _key(index: int) -> bytes:
    return key_of("base settings", index)


def quieten_ipv6(name: str) -> None:
    """No addresses and routes from router advertisements on a virtual MAC; without IPv6 nothing is to be done."""
    for word in ("accept_ra", "autoconf"):
        try:
            (_IPV6 / name / word).write_text("0")
        except OSError:
            return


def read_number(path: Path) -> int:
    """A setting; -1 where there is none."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return -1
