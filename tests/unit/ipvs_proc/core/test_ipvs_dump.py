"""Destinations read fast are those that the plain reader reads."""

from __future__ import annotations

import random
import struct

import pytest

from pyhad.common.config.model import Forwarding, Tunnel, TunnelType
from pyhad.common.errors import WireError
from pyhad.common.messages_table import STILL
from pyhad.ipvs_proc.core import ipvs_wire as wire
from pyhad.ipvs_proc.core.genl import attribute
from pyhad.ipvs_proc.core.ipvs_dump import DestinationReader
from pyhad.ipvs_proc.core.table import Connections, Destination, rates_of


def dumped(
    destination: Destination, counted: Connections, *, family_last: bool = True, family_named: bool = True
) -> bytes:
    """As the kernel sends it: settings, counters, and settings again."""
    content = wire.destination(destination)[4:]
    family, rest = content[:8] if family_named else b"", content[8:]
    counters = attribute(7, struct.pack("=I", counted.active)) + attribute(8, struct.pack("=I", counted.inactive))
    rates = counted.rates
    assert rates is not None
    moving = (rates.connections, rates.in_packets, rates.out_packets, rates.in_bytes, rates.out_bytes)
    numbers = enumerate((*counted[2:7], *moving), 1)
    stats = b"".join(attribute(kind, struct.pack("=Q", value)) for kind, value in numbers)
    middle = rest + counters + attribute(9, struct.pack("=I", counted.total % 7))
    parts = middle + family if family_last else family + middle
    old = attribute(10, attribute(1, struct.pack("=I", counted.total % 1000)))
    return attribute(2, parts + old + attribute(12, stats))


def to(number: int, weight: int = 1, forwarding: Forwarding = Forwarding.NAT, port: int = 80) -> Destination:
    tunnel = Tunnel(type=TunnelType.GUE, port=6080) if forwarding is Forwarding.TUNNEL else Tunnel()
    return Destination(address=f"10.1.0.{number}", port=port, weight=weight, forwarding=forwarding, tunnel=tunnel)


def counts(seed: int) -> Connections:
    numbers = random.Random(seed)
    rates = rates_of(numbers.randrange(2**60) for _ in range(5))
    open_ones, others = (numbers.randrange(2**20) for _ in range(2)), (numbers.randrange(2**60) for _ in range(5))
    return Connections._make((*open_ones, *others, rates))


def test_settings_that_were_seen_are_the_same_object_and_counters_are_new() -> None:
    reader = DestinationReader()
    first, counted = reader.read(dumped(to(1), counts(1)), 4)
    again, counted_again = reader.read(dumped(to(1), counts(2)), 4)
    assert first == to(1)
    assert again is first
    assert (counted, counted_again) == (counts(1), counts(2))


def test_of_thousands_that_nobody_uses_there_is_one_object() -> None:
    reader = DestinationReader()
    idle = Connections(0, 0, 0, 0, 0, 0, 0, STILL)
    read = [reader.read(dumped(to(number), idle), 4)[1] for number in (1, 1, 2, 2)]
    assert read == [idle] * 4
    assert read[1] is read[3]
    assert all(counted.rates is STILL for counted in read)


def test_counters_without_rates_are_read_too() -> None:
    """A kernel that has none of them: nothing is gained then, and nothing lost."""
    reader = DestinationReader()
    stats = b"".join(attribute(kind, struct.pack("=Q", kind)) for kind in range(1, 6))
    settings = wire.destination(to(1))[4:] + attribute(7, bytes(4)) + attribute(8, bytes(4))
    payload = attribute(2, settings + attribute(12, stats))
    for _ in range(2):
        assert reader.read(payload, 4) == (to(1), Connections(0, 0, 1, 2, 3, 4, 5, None))


def test_every_setting_tells_two_destinations_apart() -> None:
    reader = DestinationReader()
    for destination in (to(1), to(2), to(1, 5), to(1, port=81), to(1, forwarding=Forwarding.DIRECT_ROUTE), to(1)):
        assert reader.read(dumped(destination, counts(3)), 4) == (destination, counts(3))


def test_messages_of_other_layouts_are_read_all_the_same() -> None:
    seed = 20261122
    numbers = random.Random(seed)
    reader = DestinationReader()
    for step in range(300):
        forwarding = numbers.choice((Forwarding.NAT, Forwarding.TUNNEL))
        destination = to(numbers.randrange(1, 9), numbers.randrange(3), forwarding)
        payload = dumped(destination, counts(step), family_last=numbers.random() < 0.7)
        assert reader.read(payload, 4) == wire.destination_from(payload, 4), f"seed {seed}, step {step}"


def test_a_message_without_counters_is_read_too() -> None:
    payload = wire.destination(to(1))
    assert DestinationReader().read(payload, 4) == (to(1), wire.destination_from(payload, 4)[1])


def test_the_family_of_the_service_counts_where_the_destination_names_none() -> None:
    reader = DestinationReader()
    payload = dumped(to(1), counts(1), family_named=False)
    assert reader.read(payload, 4)[0].address == "10.1.0.1"
    assert reader.read(payload, 6)[0].address == "a01:1::"
    assert reader.read(payload, 4)[0].address == "10.1.0.1"


def test_what_makes_no_sense_is_refused_even_when_something_of_its_length_was_seen() -> None:
    reader = DestinationReader()
    good = dumped(to(1), counts(1))
    reader.read(good, 4)
    with pytest.raises(WireError):
        reader.read(good[:6] + b"\xff\xff" + good[8:], 4)
