"""What a successor learns from the black box."""

from __future__ import annotations

import dataclasses

import pytest

from pyhad.common.blackbox import BlackBox
from pyhad.common.config.model import UnicastPeer, VrrpInstance
from pyhad.common.states import RouterState
from pyhad.vrrp_proc import journal
from pyhad.vrrp_proc.journal import Journal, Record

ROUTER = VrrpInstance(
    name="VI_1", vrid=51, family=4, interface="eth0", version=3, start_as_master=False, base_priority=100,
    advertisement_interval_cs=100,
)  # fmt: skip
BACKUP = Record(
    state=RouterState.BACKUP, since_ns=1, last_sent_ns=2, down_at_ns=3, master_priority=200, master_interval_cs=100,
    master_address="10.0.0.2", sequence=7, standby_until_ns=9,
)  # fmt: skip


def test_a_record_is_these_bytes() -> None:
    assert journal.pack(BACKUP).hex() == (
        "03" "01"
        "0100000000000000" "0200000000000000" "0300000000000000"
        "c8" "6400" "04" "0a000002" "000000000000000000000000" "07000000" "0900000000000000"
    )  # fmt: skip


@pytest.mark.parametrize("address", ["", "10.0.0.2", "fe80::2"])
def test_what_was_written_is_read_again(address: str) -> None:
    record = dataclasses.replace(BACKUP, master_address=address)
    assert journal.unpack(journal.pack(record)) == record


@pytest.mark.parametrize(
    "payload", [b"", b"\x02" + bytes(57), b"\x03\x09" + bytes(56), b"\x03" + bytes(28) + b"\x05" * 29]
)
def test_a_record_of_another_format_is_no_record(payload: bytes) -> None:
    assert journal.unpack(payload) is None


@pytest.mark.behaviour("REL-11")
def test_the_successor_finds_its_router_by_vrid_family_and_interface_not_by_name() -> None:
    box = BlackBox(4, journal.PAYLOAD_BYTES)
    Journal(box).write(journal.key(ROUTER), BACKUP)
    successor = Journal(box)
    assert successor.left_behind(dataclasses.replace(ROUTER, vrid=52)) is None
    assert successor.left_behind(dataclasses.replace(ROUTER, name="renamed", base_priority=50)) == BACKUP


def test_a_record_is_handed_out_once() -> None:
    box = BlackBox(4, journal.PAYLOAD_BYTES)
    Journal(box).write(journal.key(ROUTER), BACKUP)
    successor = Journal(box)
    assert successor.left_behind(ROUTER) == BACKUP
    assert successor.left_behind(ROUTER) is None


def test_a_forgotten_router_leaves_nothing_behind() -> None:
    box = BlackBox(4, journal.PAYLOAD_BYTES)
    first = Journal(box)
    first.write(journal.key(ROUTER), BACKUP)
    first.forget(journal.key(ROUTER))
    assert Journal(box).left_behind(ROUTER) is None


def test_records_that_find_no_place_are_counted() -> None:
    full = Journal(BlackBox(0, journal.PAYLOAD_BYTES))
    full.write(journal.key(ROUTER), BACKUP)
    assert full.lost == 1


@pytest.mark.behaviour("FSM-15")
def test_unicast_routers_of_one_vrid_are_told_apart_by_name() -> None:
    one = dataclasses.replace(ROUTER, unicast_peers=(UnicastPeer(address="10.0.0.2"),))
    assert journal.key(one) != journal.key(dataclasses.replace(one, name="VI_2"))
    assert journal.key(one) == journal.key(
        dataclasses.replace(one, unicast_peers=(UnicastPeer(address="10.0.0.3"),))
    ), "another peer is no other router"


def test_both_families_of_a_vrid_have_their_records() -> None:
    assert journal.key(ROUTER) != journal.key(dataclasses.replace(ROUTER, family=6))


def test_notes_of_others_lie_beside_the_routers_and_are_not_taken_for_one() -> None:
    box = BlackBox(4, 200)
    first = Journal(box)
    first.write(journal.key(ROUTER), BACKUP)
    first.note(b"group".ljust(16), b"\x01")
    first.note(journal.key(dataclasses.replace(ROUTER, vrid=52)), bytes(8))
    successor = Journal(box)
    assert successor.left_behind(ROUTER) == BACKUP
    assert successor.left_behind(dataclasses.replace(ROUTER, vrid=52)) is None
    assert successor.noted(b"group".ljust(16)) == b"\x01"
