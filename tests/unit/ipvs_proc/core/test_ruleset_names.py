"""Names and keys in the nftables table, both ways."""

from __future__ import annotations

import pytest

from pyhad.common.config.model import Listener, Protocol
from pyhad.ipvs_proc.core import ruleset_names as names

TCP4 = Listener(protocol=Protocol.TCP, family=4, address="10.0.0.1", port=80)
TCP6 = Listener(protocol=Protocol.TCP, family=6, address="fd00::1", port=443)
MARK6 = Listener(protocol=Protocol.NONE, family=6, fwmark=9)
HOST4 = Listener(protocol=Protocol.UDP, family=4, address="10.0.0.1")


@pytest.mark.parametrize(
    ("listener", "chain", "where", "key"),
    [
        (TCP4, "tcp4.10.0.0.1.80", "services4", "10.0.0.1 . tcp . 80"),
        (TCP6, "tcp6.fd00__1.443", "services6", "fd00::1 . tcp . 443"),
        (MARK6, "fwm6.9", "marks6", "9"),
        (HOST4, "udp4.10.0.0.1.0", "hosts4", "10.0.0.1 . udp"),
    ],
)
def test_a_service_has_a_chain_and_a_place_in_a_map(listener: Listener, chain: str, where: str, key: str) -> None:
    assert names.chain_name(listener) == chain
    assert names.services_map(listener) == where
    assert names.service_key(listener) == key


def test_keys_are_read_back_whether_nft_writes_protocols_as_words_or_numbers() -> None:
    assert names.listener_of({"concat": ["10.0.0.1", "tcp", 80]}, 4) == TCP4
    assert names.listener_of({"concat": ["fd00::1", 6, 443]}, 6) == TCP6
    assert names.listener_of({"concat": ["10.0.0.1", 17]}, 4) == HOST4
    assert names.listener_of(9, 6) == MARK6
    place = (TCP4, ("10.1.0.1", 8080))
    assert names.place_of({"concat": ["10.0.0.1", "tcp", 80, "10.1.0.1", 8080]}, 4, by_mark=False) == place
    assert names.place_of({"concat": [9, "fd00::2", 0]}, 6, by_mark=True) == (MARK6, ("fd00::2", 0))


@pytest.mark.parametrize(
    "key", ["9", {"concat": []}, {"concat": ["x", "tcp", 80]}, {"concat": ["10.0.0.1", 99, 1]}, {}]
)
def test_what_is_no_key_of_ours_is_none(key: object) -> None:
    assert names.listener_of(key, 4) is None
    assert names.place_of(key, 4, by_mark=False) is None
    assert names.place_of(key, 4, by_mark=True) is None


@pytest.mark.parametrize("address", ["10.0.0.1\nflush ruleset\n#", "fe80::1%\nflush ruleset\n#", ""])
def test_only_what_is_an_address_is_put_into_words_for_nft(address: str) -> None:
    for build in (names.destination_chain_name, names.weight_key, names.masquerade_key):
        with pytest.raises(ValueError, match="address"):
            build(TCP4, (address, 80))
