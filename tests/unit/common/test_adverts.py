"""Advertisements as they were sent, forms of their checksums and authentications. Bytes are written out by hand."""

from __future__ import annotations

import dataclasses

import pytest

from pyhad.common.adverts import differences, read_advert
from pyhad.common.config.model import HmacKey, HmacMode, HmacSettings, UnicastPeer, VirtualAddress, VrrpInstance

OURS = VrrpInstance(
    name="VI_1", vrid=2, family=4, interface="eth0", version=3, start_as_master=False, base_priority=90,
    advertisement_interval_cs=50, addresses=(VirtualAddress(address="10.1.2.1", prefix_len=32, interface="eth0"),),
)  # fmt: skip
V3 = "31026401 0032 {} 0a010201"


@pytest.mark.behaviour("PKT-5", "PKT-31")
@pytest.mark.parametrize(
    ("destination", "checksum", "form"),
    [
        ("224.0.0.18", "7436", "usual"),
        ("10.1.0.3", "4a45", "usual"),
        ("10.1.0.3", "7436", "old_unicast"),
        ("224.0.0.18", "5ec8", "no_pseudo_header"),
        ("224.0.0.18", "1234", "wrong"),
    ],
)
def test_forms_of_the_checksum(destination: str, checksum: str, form: str) -> None:
    """The sums: of the message alone a137; with 0a01 0002 e000 0012 0070 000c before it 8bc9; with 10.1.0.3 b5ba."""
    advert = read_advert(bytes.fromhex(V3.format(checksum)), source="10.1.0.2", destination=destination, ttl=255)
    assert advert.checksum == form
    assert (advert.vrid, advert.priority, advert.interval_cs, advert.addresses) == (2, 100, 50, ("10.1.2.1",))


@pytest.mark.behaviour("AUTH-4")
def test_a_trailer_is_seen_and_padding_is_none() -> None:
    plain = bytes.fromhex(V3.format("7436"))
    trailed = plain + bytes([1, 7]) + bytes(26)
    ends = {"source": "10.1.0.2", "destination": "224.0.0.18", "ttl": 255}
    signed = read_advert(trailed, **ends)  # type: ignore[arg-type]
    assert (signed.authentication, signed.checksum, signed.faults) == ("HMAC", "usual", ())
    assert read_advert(plain + bytes(30), **ends).authentication == "none"  # type: ignore[arg-type]


@pytest.mark.behaviour("AUTH-4")
def test_over_ipv6_the_trailer_is_summed_too() -> None:
    """The sums: pseudo header fe3b, message 93b7, trailer 0107."""
    payload = bytes.fromhex(f"31026401 0032 6d05 fe80 {'00' * 13}01 0107 {'00' * 26}")
    signed = read_advert(payload, source="fe80::2", destination="ff02::12", ttl=255)
    assert (signed.authentication, signed.checksum) == ("HMAC", "usual")


@pytest.mark.behaviour("PKT-27")
def test_authentication_is_compared_by_kind() -> None:
    advert = read_advert(bytes.fromhex(V3.format("7436")), source="10.1.0.2", destination="224.0.0.18", ttl=255)
    signed = HmacSettings(
        keys=(HmacKey(identifier=1, secret=b"x" * 32),), active=1, window_s=5, monotonic=False, mode=HmacMode.ENFORCE
    )
    assert tuple(differences(advert, OURS)) == ()
    assert tuple(differences(advert, dataclasses.replace(OURS, hmac=signed))) == (
        "10.1.0.2 has authentication none, ours ('VI_1') is HMAC",
    )


def test_by_unicast_the_destination_is_nobodys_group() -> None:
    advert = read_advert(bytes.fromhex(V3.format("4a45")), source="10.1.0.2", destination="10.1.0.3", ttl=255)
    by_unicast = dataclasses.replace(OURS, unicast_peers=(UnicastPeer(address="10.1.0.2"),))
    assert tuple(differences(advert, by_unicast)) == ()
    assert tuple(differences(advert, OURS)) == ("10.1.0.2 sends to 10.1.0.3, we listen to 224.0.0.18",)
