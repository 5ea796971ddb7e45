"""Frames as they lie on the wire, written out by hand."""

from __future__ import annotations

import pytest

from pyhad.ctl.frames import Advert, Announcement, read_frame

ETHERNET = "01005e00001200005e0001330800"
IPV4 = "45c0 0028 0001 0000 ff70 0000 0a000002 e0000012"
V2 = "2133 9601 0001 8665 c0000264 0000000000000000"
"""Version 2, VRID 51, priority 150, one address, no authentication, 1 s."""
GRATUITOUS = "ffffffffffff 00005e000133 0806 0001 0800 06 04 0001 00005e000133 c0000264 ffffffffffff c0000264"


def frame(*parts: str) -> bytes:
    return bytes.fromhex("".join(parts).replace(" ", ""))


def test_an_advertisement_of_version_2_is_read() -> None:
    assert read_frame(frame(ETHERNET, IPV4, V2)) == Advert(
        source="10.0.0.2",
        destination="224.0.0.18",
        mac="00:00:5e:00:01:33",
        ttl=255,
        version=2,
        vrid=51,
        priority=150,
        interval_cs=100,
        addresses=("192.0.2.100",),
    )


def test_a_wrong_checksum_and_a_wrong_ttl_are_named_and_the_rest_is_shown() -> None:
    found = read_frame(frame(ETHERNET, IPV4.replace("ff70", "fe70"), V2.replace("8665", "8666")))
    assert isinstance(found, Advert)
    assert found.faults == ("TTL 254 instead of 255: it was routed or forged, receivers drop it", "wrong checksum")
    assert found.vrid == 51


def test_a_gratuitous_arp_is_read_and_an_ordinary_one_is_not() -> None:
    assert read_frame(frame(GRATUITOUS)) == Announcement(
        kind="gratuitous ARP", address="192.0.2.100", mac="00:00:5e:00:01:33"
    )
    assert read_frame(frame(GRATUITOUS[:-8], "c0000265")) is None


def test_a_password_is_named_by_its_kind_only() -> None:
    found = read_frame(frame(ETHERNET, IPV4, "2133 9601 0101 0000 c0000264 73656372657421aa"))
    assert isinstance(found, Advert)
    assert found.authentication == "PASS"
    assert "secret" not in repr(found)


@pytest.mark.parametrize("length", range(54))
def test_a_frame_that_is_cut_off_raises_nothing(length: int) -> None:
    read_frame(frame(ETHERNET, IPV4, V2)[:length])
    read_frame(frame(GRATUITOUS)[:length])
