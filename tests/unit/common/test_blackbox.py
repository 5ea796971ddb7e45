"""The black box: what a successor finds, whatever happened to the writer."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings, strategies as st

from pyhad.common.blackbox import BlackBox, key_of

A, B, C = key_of("a"), key_of("b"), key_of("c")
USED = 16
"""Bytes before the first record: how many slots were ever used, and the moment of the first."""
HALF = 48
"""Bytes of one version of a record with a payload of 16: a head of 30, 16, rounded up to 8."""


def test_many_moments_are_set_at_once_of_those_that_have_a_record() -> None:
    box = BlackBox(4, 16)
    for key in (b"a" * 16, b"b" * 16):
        box.put(key, b"record")
    box.touch_all(box.places([b"b" * 16, b"c" * 16, b"a" * 16]), 123_456_789_012)
    assert [box.moment(letter * 16) for letter in (b"a", b"b", b"c")] == [123_456_789_012, 123_456_789_012, 0]


def test_keys_are_16_bytes_and_stand_for_the_identity() -> None:
    assert len(A) == 16
    assert key_of("VI_1", 51, 4) == key_of("VI_1", 51, 4)
    assert key_of("VI_1", 51, 4) != key_of("VI_1", 51, 6)
    assert key_of("a", "b") != key_of("ab")
    assert key_of(1) != key_of("1")


def test_a_new_box_is_empty() -> None:
    assert BlackBox(4, 16).load() == {}
    assert BlackBox(0, 16).load() == {}


def test_the_last_version_of_each_record_is_found() -> None:
    box = BlackBox(4, 16)
    box.load()
    for number in range(5):
        assert box.put(A, b"%d" % number)
    box.put(B, b"")
    assert box.load() == {A: b"4", B: b""}


def test_a_successor_goes_on_where_the_dead_one_stopped() -> None:
    box = BlackBox(2, 16)
    pid = os.fork()
    if pid == 0:
        box.load()
        for number in range(7):
            box.put(A, b"%d" % number)
        os._exit(0)
    os.waitpid(pid, 0)
    assert box.load() == {A: b"6"}
    assert box.put(A, b"next")
    assert box.put(B, b"new")
    assert box.put(C, b"full") is False
    assert box.load() == {A: b"next", B: b"new"}


@pytest.mark.parametrize("writes", [2, 3, 4, 5])
@pytest.mark.parametrize("torn_at", [0, 8, 12, 28, 30, 31])
def test_a_write_torn_in_the_middle_leaves_the_version_before(writes: int, torn_at: int) -> None:
    box = BlackBox(2, 16)
    box.load()
    for number in range(1, writes + 1):
        box.put(A, b"version %d" % number)
    newest = USED + (writes % 2) * HALF  # odd versions lie in the second half
    box._memory[newest + torn_at] ^= 0x40
    assert box.load() == {A: b"version %d" % (writes - 1)}
    box.put(A, b"after")
    assert box.load() == {A: b"after"}


def test_the_first_write_torn_leaves_nothing_and_the_slot_is_free() -> None:
    box = BlackBox(1, 16)
    box.load()
    box.put(A, b"x")
    box._memory[USED + HALF + 30] ^= 1
    assert box.load() == {}
    assert box.put(B, b"y")
    assert box.load() == {B: b"y"}


def test_a_length_that_does_not_fit_is_no_record() -> None:
    box = BlackBox(1, 16)
    box.load()
    box.put(A, b"x")
    box._memory[USED + HALF + 28 : USED + HALF + 30] = b"\xff\xff"
    assert box.load() == {}


def test_a_full_table_says_so_and_keeps_what_it_has() -> None:
    box = BlackBox(2, 16)
    box.load()
    assert (box.put(A, b"a"), box.put(B, b"b"), box.put(C, b"c")) == (True, True, False)
    assert box.put(A, b"again")
    assert box.load() == {A: b"again", B: b"b"}


def test_a_forgotten_record_is_gone_and_its_slot_is_free() -> None:
    box = BlackBox(1, 16)
    box.load()
    box.put(A, b"1")
    box.put(A, b"2")
    box.forget(A)
    box.forget(B)
    assert box.load() == {}
    assert box.put(B, b"b")
    assert box.load() == {B: b"b"}


def test_a_payload_that_does_not_fit_is_a_mistake_of_the_caller() -> None:
    box = BlackBox(1, 16)
    assert box.put(A, bytes(16))
    with pytest.raises(ValueError, match="17 bytes do not fit a record of 16"):
        box.put(A, bytes(17))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([A, B, C]), st.one_of(st.none(), st.binary(max_size=16))), max_size=30))
def test_the_box_behaves_like_a_dictionary(writes: list[tuple[bytes, bytes | None]]) -> None:
    box = BlackBox(3, 16)
    box.load()
    expected: dict[bytes, bytes] = {}
    for number, (key, payload) in enumerate(writes):
        if payload is None:
            box.forget(key)
            expected.pop(key, None)
        else:
            assert box.put(key, payload)
            expected[key] = payload
        if number % 7 == 6:
            assert box.load() == expected
    assert box.load() == expected


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_no_damage_makes_a_record_that_was_never_written(data: st.DataObject) -> None:
    box = BlackBox(2, 16)
    box.load()
    for payload in (b"one", b"two", b"three"):
        box.put(A, payload)
    for _ in range(data.draw(st.integers(1, 6))):
        box._memory[USED + data.draw(st.integers(0, 4 * HALF - 1))] ^= data.draw(st.integers(1, 255))
    for key, payload in box.load().items():
        assert key == A
        assert payload in (b"two", b"three")


def test_neither_making_nor_loading_a_great_box_touches_its_pages() -> None:
    box = BlackBox(100_000, 64)
    box.load()
    box.put(A, b"x")
    box.load()
    assert resident_kib(box) <= 16


def resident_kib(box: BlackBox) -> int:
    """Of its mapping, as the kernel counts it."""
    size_kib = -(-len(box._memory) // 4096) * 4
    found = []
    with open("/proc/self/smaps", encoding="ascii", errors="replace") as smaps:
        for line in smaps:
            word, _, rest = line.partition(":")
            if word == "Size":
                matches = int(rest.split()[0]) == size_kib
            elif word == "Rss" and matches:
                found.append(int(rest.split()[0]))
    assert len(found) == 1
    return found[0]


def test_a_moment_is_kept_beside_the_record_and_outlives_the_writer() -> None:
    box = BlackBox(2, 16)
    box.load()
    box.put(A, b"one")
    assert box.moment(A) == 0
    pid = os.fork()
    if pid == 0:
        box.touch(A, 12345)
        os._exit(0)
    os.waitpid(pid, 0)
    assert box.load() == {A: b"one"}
    assert box.moment(A) == 12345
    box.put(A, b"two")
    assert box.moment(A) == 12345


def test_a_moment_goes_with_its_record() -> None:
    box = BlackBox(1, 16)
    box.load()
    box.put(A, b"one")
    box.touch(A, 7)
    box.forget(A)
    box.touch(A, 8)
    assert box.moment(A) == 0
    box.put(B, b"two")
    assert box.moment(B) == 0
