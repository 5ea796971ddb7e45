"""The others that a virtual router hears, for its status: the last packet of each, read when somebody asks.

Decides nothing, and costs a comparison of bytes for a packet that the port did not know already. Senders can be
forged, so that only so many are kept.
"""

from __future__ import annotations

import struct

from pyhad.common.adverts import compare, read_advert
from pyhad.common.config.model import VrrpInstance
from pyhad.common.messages_peers import PeerStatus
from pyhad.common.records import dataclass
from pyhad.vrrp_proc.core.packet import Received

MOST = 16
REFUSED_NS = 60_000_000_000


@dataclass(slots=True)
class _Heard:
    received: Received
    refused: str
    since_ns: int
    last_ns: int
    shown: tuple[PeerStatus, ...] | None = None
    """What its status was when somebody asked first: of thousands of routers it is not to be read again and again."""


class Peers:
    """Of one virtual router."""

    def __init__(self) -> None:
        self._by_source: dict[str, _Heard] = {}

    def hear(self, received: Received, refused: str, now_ns: int) -> None:
        """A packet for our VRID; `refused` is empty or says by its counter why it does not count."""
        known = self._by_source.get(received.source)
        if known is not None and known.refused == refused and _is_same(known.received, received):
            known.last_ns = now_ns
            return
        if known is None and len(self._by_source) >= MOST:
            del self._by_source[min(self._by_source, key=lambda source: self._by_source[source].last_ns)]
        self._by_source[received.source] = _Heard(received, refused, now_ns, now_ns)

    def forget(self) -> None:
        """Another configuration: what was refused may be right now."""
        self._by_source.clear()

    def status(self, ours: VrrpInstance, now_ns: int) -> tuple[PeerStatus, ...]:
        """Each as it was heard last, beside our configuration; who was refused is shown as long as it goes on."""
        lively = (one for one in self._by_source.values() if not one.refused or now_ns - one.last_ns < REFUSED_NS)
        return tuple(peer for heard in lively for peer in _shown(heard, ours))


def _is_same(one: Received, other: Received) -> bool:
    return one.payload == other.payload and one.ttl == other.ttl and one.destination == other.destination


def _shown(heard: _Heard, ours: VrrpInstance) -> tuple[PeerStatus, ...]:
    if heard.shown is None:
        heard.shown = _status(heard, ours)
    return heard.shown


def _status(heard: _Heard, ours: VrrpInstance) -> tuple[PeerStatus, ...]:
    """One, or none where the packet cannot be read."""
    received = heard.received
    try:
        advert = read_advert(
            received.payload, source=received.source, destination=received.destination,
            # By unicast any TTL may come; what is wrong with it by our settings is among the refusals.
            ttl=255 if ours.unicast_peers else received.ttl,
            authentication="AH" if received.seal is not None else "",
        )  # fmt: skip
    except (struct.error, IndexError, ValueError):
        return ()
    peer = PeerStatus(
        address=received.source,
        version=advert.version,
        priority=advert.priority,
        advert_interval_cs=advert.interval_cs,
        addresses=advert.addresses,
        authentication=advert.authentication,
        checksum=advert.checksum,
        since_ns=heard.since_ns,
        refused=heard.refused,
        differences=compare(advert, (ours,), frozenset()),
    )
    return (peer,)
