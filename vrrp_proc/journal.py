"""What a successor must know of each virtual router, as bytes in the black box. Decides nothing about it."""

from __future__ import annotations

import dataclasses
import functools
import ipaddress
import struct
from collections.abc import Iterable

from pyhad.common.blackbox import BlackBox, key_of
from pyhad.common.config.model import VrrpInstance
from pyhad.common.records import dataclass
from pyhad.common.states import RouterState

_FORMAT = 3
_RECORD = struct.Struct("=BBQQQBHB16sIQ")
PAYLOAD_BYTES = _RECORD.size
_STATES = tuple(RouterState)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One virtual router as last journaled. Times are CLOCK_MONOTONIC ns, which the successor shares."""

    state: RouterState
    since_ns: int
    last_sent_ns: int
    """When it last advertised with a priority above 0; 0: never."""
    down_at_ns: int
    """As BACKUP: when the master would have been taken for dead; else 0."""
    master_priority: int
    master_interval_cs: int
    master_address: str
    """"" when unknown."""
    sequence: int = 0
    """Of the last authentication header (AUTH-3)."""
    standby_until_ns: int = 0
    """Until when an operator holds it back; 0: not at all."""


def pack(record: Record) -> bytes:
    """`record` as `PAYLOAD_BYTES` bytes."""
    address = _packed(record.master_address)
    return _RECORD.pack(
        _FORMAT, _STATES.index(record.state), record.since_ns, record.last_sent_ns, record.down_at_ns,
        record.master_priority, record.master_interval_cs, len(address), address, record.sequence,
        record.standby_until_ns,
    )  # fmt: skip


@functools.lru_cache(maxsize=256)
def _packed(address: str) -> bytes:
    return ipaddress.ip_address(address).packed if address else b""


def unpack(payload: bytes) -> Record | None:
    """The record in `payload`; None when it was written in another format: the successor starts afresh then."""
    if len(payload) != PAYLOAD_BYTES or payload[0] != _FORMAT:
        return None
    (
        _, state, since_ns, last_sent_ns, down_at_ns, priority, interval_cs, length, address,
        sequence, standby_until_ns,
    ) = _RECORD.unpack(payload)  # fmt: skip
    if state >= len(_STATES) or length not in (0, 4, 16):
        return None
    return Record(
        state=_STATES[state], since_ns=since_ns, last_sent_ns=last_sent_ns, down_at_ns=down_at_ns,
        master_priority=priority, master_interval_cs=interval_cs,
        master_address=str(ipaddress.ip_address(address[:length])) if length else "",
        sequence=sequence, standby_until_ns=standby_until_ns,
    )  # fmt: skip


def identity_of(config: VrrpInstance) -> tuple[int, int, str, str]:
    """What makes a virtual router the same one over restarts and reloads: VRID, family, interface (REL-11).

    Not its name, except by unicast, where several routers can have all of these in common (FSM-15).
    """
    return config.vrid, config.family, config.interface, config.name if config.unicast_peers else ""


def key(config: VrrpInstance) -> bytes:
    """The identity as the key of a record."""
    return key_of(*identity_of(config))


class Journal:
    """The records of this process in `box`. Make one per process, first thing: it reads what a predecessor left."""

    def __init__(self, box: BlackBox) -> None:
        self.lost = 0
        """Records that found no place in the box."""
        self._box = box
        self._notes = box.load()
        self.is_successor = bool(self._notes)
        """Whether a process of this daemon was there before."""
        self._left = {found: record for found, payload in self._notes.items() if (record := unpack(payload))}

    def left_behind(self, config: VrrpInstance) -> Record | None:
        """What the predecessor wrote of this router, once; None when there is nothing."""
        identity = key(config)
        record = self._left.pop(identity, None)
        if record is None or record.state is not RouterState.MASTER:
            return record
        return dataclasses.replace(record, last_sent_ns=max(record.last_sent_ns, self._box.moment(identity)))

    def write(self, identity: bytes, record: Record) -> None:
        """Journal `record` in place of the one before."""
        if not self._box.put(identity, pack(record)):
            self.lost += 1

    def places(self, identities: Iterable[bytes]) -> list[int]:
        """Where it is noted when they advertised, as long as none of them is forgotten."""
        return self._box.places(identities)

    def sent(self, places: Iterable[int], at_ns: int) -> None:
        """Those have advertised again, and nothing else became different."""
        self._box.touch_all(places, at_ns)

    def note(self, identity: bytes, payload: bytes) -> None:
        """Journal something else than a virtual router, in another length than theirs."""
        if not self._box.put(identity, payload):
            self.lost += 1

    def note_if_fits(self, identity: bytes, payload: bytes) -> None:
        """As `note`, for what a successor can do without."""
        if len(payload) <= self._box.payload_bytes:
            self._box.put(identity, payload)
        else:
            self._box.forget(identity)

    def noted(self, identity: bytes) -> bytes | None:
        """What a predecessor noted."""
        return self._notes.get(identity)

    def forget(self, identity: bytes) -> None:
        """The router is gone for good."""
        self._box.forget(identity)
