"""Addresses, commands and numbers in keepalived's words."""

from __future__ import annotations

import pytest

from pyhad.common.config.model import VirtualAddress
from pyhad.common.config.model.tracking import Program
from pyhad.control_proc.core import wording


@pytest.mark.behaviour("SIG-24")
def test_an_address_is_told_with_all_that_is_special_about_it() -> None:
    plain = VirtualAddress(address="10.1.1.1", prefix_len=24, interface="eth0")
    assert wording.address(plain, is_set=True) == "10.1.1.1/24 dev eth0 scope global set"
    host = VirtualAddress(
        address="10.1.1.1", prefix_len=32, interface="eth0", scope=253, broadcast="10.1.1.255", label="eth0:1"
    )
    assert wording.address(host, is_set=False) == "10.1.1.1 brd 10.1.1.255 dev eth0 scope link label eth0:1"


@pytest.mark.behaviour("SIG-24")
def test_an_ipv6_address_tells_its_lifetime() -> None:
    single = VirtualAddress(address="fe80::1", prefix_len=128, interface="eth0", preferred_lft_s=0)
    assert wording.address(single, is_set=True) == "fe80::1 dev eth0 scope global deprecated set"
    net = VirtualAddress(address="fd00::1", prefix_len=64, interface="eth0")
    assert wording.address(net, is_set=False) == "fd00::1/64 dev eth0 scope global preferred_lft forever"
    short = VirtualAddress(address="fd00::1", prefix_len=64, interface="eth0", preferred_lft_s=30)
    assert wording.address(short, is_set=False) == "fd00::1/64 dev eth0 scope global preferred_lft 30"


def test_a_command_is_told_word_by_word() -> None:
    assert wording.command(Program(argv=("/bin/a b", "c"))) == "'/bin/a b' 'c'"


def test_whole_seconds_are_whole_numbers() -> None:
    assert repr(wording.seconds(2_000_000_000)) == "2"
    assert repr(wording.seconds(2_500_000_000)) == "2.5"
    assert repr(wording.interval(100)) == "1"
    assert repr(wording.interval(50)) == "0.5"
