"""The black box: shared memory in which a child journals what its successor must know.

A table of records, each found by a 16-byte key (see `key_of`). A record is written twice, alternately, with a sequence
number and a checksum, so that a process killed in the middle of a write leaves the version before it. Made by the
parent before the fork (MAP_SHARED); as a file without a name it outlives even the parent's own program. Pages never
touched cost nothing, and reading is touching: how many slots were ever used stands at the beginning, and nobody looks
beyond them.

Beside its record each slot has one moment (8 bytes, written whole): what changes with every advertisement costs one
store and no checksum.
"""

from __future__ import annotations

import hashlib
import mmap
import struct
import zlib
from collections.abc import Iterable, Iterator

_HEAD = struct.Struct("=QI16sH")  # sequence, crc, key, payload length
_ALIGN = 8
_MOMENT = struct.Struct("=Q")
_USED = struct.Struct("=Q")  # slots ever used; one aligned 8-byte write, never torn


def key_of(*identity: object) -> bytes:
    """16 bytes that stand for an identity (a tuple of plain values) over restarts of the process."""
    return hashlib.blake2b(repr(identity).encode(), digest_size=16).digest()


def size_of(slots: int, payload_bytes: int) -> int:
    """Bytes of such a box."""
    return _USED.size + slots * (_MOMENT.size + 2 * _half_of(payload_bytes))


def _half_of(payload_bytes: int) -> int:
    return -(-(_HEAD.size + payload_bytes) // _ALIGN) * _ALIGN


class BlackBox:
    """`slots` records of at most `payload_bytes` each. One writer at a time; readers after its death."""

    def __init__(self, slots: int, payload_bytes: int, fd: int = -1) -> None:
        """`fd`: a file of at least `size_of(slots, payload_bytes)` bytes; without one the memory is anonymous."""
        self._half = _half_of(payload_bytes)
        self._slot_bytes = _MOMENT.size + 2 * self._half
        self.payload_bytes = payload_bytes
        """At most, of one record."""
        self._slots = slots
        self._memory = mmap.mmap(fd, size_of(slots, payload_bytes))
        self._words = memoryview(self._memory).cast("Q")
        self._index: dict[bytes, int] = {}
        self._sequence: dict[int, int] = {}
        self._free: list[int] = []
        """Slots below the number ever used that hold nothing now."""

    def load(self) -> dict[bytes, bytes]:
        """All whole records by key, and get ready to write over them. Call once, first, in each new child."""
        found: dict[bytes, bytes] = {}
        self._index, self._sequence, used = {}, {}, set()
        for slot, sequence, key, payload in self._records():
            found[key] = payload
            self._index[key] = slot
            self._sequence[slot] = sequence
            used.add(slot)
        self._free = [slot for slot in range(self._used() - 1, -1, -1) if slot not in used]
        return found

    def put(self, key: bytes, payload: bytes) -> bool:
        """Journal `payload` under `key`. False when the table is full (the successor then starts without it)."""
        if len(payload) > self.payload_bytes:
            raise ValueError(f"{len(payload)} bytes do not fit a record of {self.payload_bytes}")
        slot = self._index.get(key)
        if slot is None:
            slot = self._take_slot()
            if slot < 0:
                return False
            self._index[key] = slot
            self.touch(key, 0)  # a slot whose writer died between two stores may hold an old one
        sequence = self._sequence.get(slot, 0) + 1
        self._sequence[slot] = sequence
        body = _HEAD.pack(sequence, 0, key, len(payload)) + payload
        crc = zlib.crc32(body)
        at = self._place(slot, sequence % 2)
        self._memory[at : at + len(body)] = _HEAD.pack(sequence, crc, key, len(payload)) + payload
        return True

    def touch(self, key: bytes, moment: int) -> None:
        """Set the moment of `key`'s record, if there is one. Replacing the record leaves it as it is."""
        slot = self._index.get(key)
        if slot is not None:
            _MOMENT.pack_into(self._memory, _USED.size + slot * self._slot_bytes, moment)

    def places(self, keys: Iterable[bytes]) -> list[int]:
        """Where the moments of their records are, for `touch_all`; good until one of them is forgotten."""
        slots = (self._index.get(key) for key in keys)
        return [(_USED.size + slot * self._slot_bytes) // _ALIGN for slot in slots if slot is not None]

    def touch_all(self, places: Iterable[int], moment: int) -> None:
        """Set the moments there."""
        words = self._words
        for place in places:
            words[place] = moment

    def moment(self, key: bytes) -> int:
        """The moment of `key`'s record; 0: never set."""
        slot = self._index.get(key)
        if slot is None:
            return 0
        found: int = _MOMENT.unpack_from(self._memory, _USED.size + slot * self._slot_bytes)[0]
        return found

    def forget(self, key: bytes) -> None:
        """Drop the record of `key`, if there is one."""
        slot = self._index.pop(key, None)
        if slot is not None:
            self._sequence.pop(slot, None)
            at = self._place(slot, 0) - _MOMENT.size
            self._memory[at : at + self._slot_bytes] = bytes(self._slot_bytes)
            self._free.append(slot)

    def _used(self) -> int:
        used: int = _USED.unpack_from(self._memory)[0]
        return min(used, self._slots)

    def _take_slot(self) -> int:
        """A slot that holds nothing; -1 when there is none."""
        if self._free:
            return self._free.pop()
        used = self._used()
        if used >= self._slots:
            return -1
        _USED.pack_into(self._memory, 0, used + 1)
        return used

    def _place(self, slot: int, half: int) -> int:
        return _USED.size + slot * self._slot_bytes + _MOMENT.size + half * self._half

    def _records(self) -> Iterator[tuple[int, int, bytes, bytes]]:
        for slot in range(self._used()):
            best: tuple[int, int, bytes, bytes] | None = None
            for half in (0, 1):
                record = self._read(self._place(slot, half))
                if record is not None and (best is None or record[0] > best[1]):
                    best = (slot, *record)
            if best is not None:
                yield best

    def _read(self, at: int) -> tuple[int, bytes, bytes] | None:
        sequence, crc, key, length = _HEAD.unpack_from(self._memory, at)
        if sequence == 0 or length > self.payload_bytes:
            return None
        payload = self._memory[at + _HEAD.size : at + _HEAD.size + length]
        if zlib.crc32(_HEAD.pack(sequence, 0, key, length) + payload) != crc:
            return None
        return sequence, key, payload
