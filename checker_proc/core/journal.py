"""What is known of a real server from before: its record, as bytes for the black box, and who inherits what from it.

A record never exceeds `RECORD_BYTES`. Checks that do not fit are left out and the record says so (`is_whole`). The
same records carry results over a reload (REL-33, REL-37) and over the death of the process.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Mapping

from pyhad.checker_proc.core.events import Restored
from pyhad.checker_proc.core.reasons import Reason
from pyhad.checker_proc.core.schedule import fingerprint, identity_of
from pyhad.checker_proc.core.verdicts import ServerJudge
from pyhad.common.config.model import Check, CheckedServer, FileCheck
from pyhad.common.records import dataclass

RECORD_BYTES = 64
_VERSION = 1
_HEAD = struct.Struct("=BBqBB")  # version, up | whole << 1, since_ns, reason, number of checks
_CHECK = struct.Struct("=Ii")  # low half of the fingerprint; weight, or one of the two below
_CONFIGURED_WEIGHT = -1
_DOWN = -2
_PLACE = struct.Struct("=I")  # last, where the address is not in the server's id: a mark of it
_MAX_CHECKS = (RECORD_BYTES - _HEAD.size - _PLACE.size) // _CHECK.size
_REASONS = tuple(Reason)
_MARK_BITS = 0xFFFFFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerRecord:
    """What was last said of one real server. `checks`: those tested, by a mark that stands for their identity."""

    up: bool
    since_ns: int
    reason: str
    checks: dict[int, Restored]
    is_whole: bool
    """No check was left out for want of room."""
    place: int = 0
    """A mark of the address that a name had then; 0: not known, or there is no name."""


def record_of(judge: ServerJudge) -> ServerRecord:
    """The record of this server as it stands."""
    checks = {
        machine.mark & _MARK_BITS: Restored(is_up=machine.is_up, weight=machine.weight, reason=machine.reason)
        for machine in judge.machines
        if machine.is_tested and not isinstance(machine.check, FileCheck)  # read anew at once
    }
    verdict = judge.verdict
    return ServerRecord(
        up=verdict.up, since_ns=verdict.since_ns, reason=verdict.reason, checks=checks, is_whole=True,
        place=_place_of(verdict.address),
    )  # fmt: skip


def is_up_at(record: ServerRecord | None, address: str) -> bool:
    """It was up, and there."""
    return record is not None and record.up and record.place in (0, _place_of(address))


def fitting(
    servers: Iterable[CheckedServer], records: Mapping[tuple[str, str], ServerRecord]
) -> dict[tuple[str, str], ServerRecord]:
    """Those of these servers, but of none that was up elsewhere. Who was down stays so until it succeeds."""
    found = {}
    for server in servers:
        record = records.get((server.service, server.server))
        if record is not None and (not record.up or is_up_at(record, server.address)):
            found[server.service, server.server] = record
    return found


def inherit(check: Check, users: Iterable[ServerRecord | None]) -> Restored | None:
    """What a check that starts now inherits from the records of the servers that use it (None: a new server).

    Its own result, where there is one. Else, if every one of its servers was down, it stays down until it succeeds: a
    server that was out gets no traffic because its checks were replaced (REL-33). Else nothing: it is a new check.
    """
    if isinstance(check, FileCheck):
        return None
    records = list(users)
    mark = fingerprint(identity_of(check)) & _MARK_BITS
    for record in records:
        if record is not None and mark in record.checks:
            return record.checks[mark]
    if any(record is not None and record.up and not record.is_whole for record in records):
        return Restored(is_up=True, weight=None, reason=Reason.CHECK_SUCCEEDED)
    known = [record for record in records if record is not None]
    if known and len(known) == len(records) and not any(record.up for record in known):
        return Restored(is_up=False, weight=None, reason=known[0].reason)
    return None


def pack(record: ServerRecord) -> bytes:
    """The record as bytes."""
    kept = sorted(record.checks.items(), key=lambda item: item[1].is_up)[:_MAX_CHECKS]  # those down first
    flags = record.up | 2 * (record.is_whole and len(kept) == len(record.checks))
    parts = [_HEAD.pack(_VERSION, flags, record.since_ns, _REASONS.index(Reason(record.reason)), len(kept))]
    parts += (_CHECK.pack(mark, _weight_code(known)) for mark, known in kept)
    if record.place:
        parts.append(_PLACE.pack(record.place))
    return b"".join(parts)


def unpack(payload: bytes) -> ServerRecord | None:
    """The record in `payload`; None when it is not one of ours."""
    if len(payload) < _HEAD.size:
        return None
    version, flags, since_ns, reason_index, count = _HEAD.unpack_from(payload)
    end = _HEAD.size + count * _CHECK.size
    if version != _VERSION or len(payload) not in (end, end + _PLACE.size) or reason_index >= len(_REASONS):
        return None
    place = _PLACE.unpack_from(payload, end)[0] if len(payload) > end else 0
    reason = _REASONS[reason_index]
    checks = {
        mark: Restored(
            is_up=code != _DOWN,
            weight=code if code >= 0 else None,
            reason=reason if code == _DOWN else Reason.CHECK_SUCCEEDED,
        )
        for mark, code in _CHECK.iter_unpack(payload[_HEAD.size : end])
    }
    up, is_whole = bool(flags & 1), bool(flags & 2)
    return ServerRecord(up=up, since_ns=since_ns, reason=reason, checks=checks, is_whole=is_whole, place=place)


def _place_of(address: str) -> int:
    return zlib.crc32(address.encode()) or 1 if address else 0


def _weight_code(known: Restored) -> int:
    if not known.is_up:
        return _DOWN
    return _CONFIGURED_WEIGHT if known.weight is None else known.weight
