"""Text of one argument to its value: grammar.md section 10."""

from __future__ import annotations

import pytest

from pyhad.common.config import arguments
from pyhad.common.config.arguments import Argument
from pyhad.common.config.values import BadValue, Value, canonical_address, read_value

GOOD: list[tuple[Argument, str, Value]] = [
    (arguments.number(1, 255), "010", 10),
    (arguments.number(1, 255), " +5", 5),
    (arguments.number(-253, 253), "-253", -253),
    (arguments.seconds("0.01", "255"), "0.01", 10_000_000),
    (arguments.seconds("0.01", "255"), "1", 1_000_000_000),
    (arguments.seconds("0"), "1.", 1_000_000_000),
    (arguments.seconds("0"), ".5", 500_000_000),
    (arguments.whole_seconds(0, 10), "10", 10_000_000_000),
    (arguments.milliseconds(1, 100), "50.5", 50_500_000),
    (arguments.MARK, "0x10", 16),
    (arguments.MARK, "010", 8),
    (arguments.PREFIX, "192.0.2.1/24", ("192.0.2.1", 24)),
    (arguments.PREFIX, "192.0.2.1", ("192.0.2.1", 32)),
    (arguments.PREFIX, "FD00::0001", ("fd00::1", 128)),
    (arguments.BOOL, "yes", True),
    (arguments.BOOL, "off", False),
    (arguments.choice("TCP", "UDP", fold=True), "tcp", "TCP"),
    (arguments.STATUS, "200-299", (200, 299)),
    (arguments.STATUS, "404", (404, 404)),
    (arguments.MD5, "9B3A0C85A887A256D6939DA88AABD8CD", "9b3a0c85a887a256d6939da88aabd8cd"),
    (arguments.MULTICAST4, "224.0.0.18", "224.0.0.18"),
    (arguments.INTERFACE, "eth0.100", "eth0.100"),
    (arguments.HOST, "192.0.2.1", "192.0.2.1"),
    (arguments.HOST, "FD00::0001", "fd00::1"),
    (arguments.HOST, "Web-1.Example", "web-1.example"),
    (arguments.HOST, "_a.3com.example.", "_a.3com.example."),
    (arguments.HOST, "localhost", "localhost"),
]

BAD: list[tuple[Argument, str]] = [
    (arguments.number(1, 255), "0x10"),
    (arguments.number(1, 255), "0"),
    (arguments.number(1, 255), "256"),
    (arguments.number(1, 255), "1.5"),
    (arguments.number(1, 255), ""),
    (arguments.number(0), "9" * 5000),
    (arguments.number(0), "\u0661"),
    (arguments.seconds("0.01", "255"), "0.001"),
    (arguments.seconds("0"), "."),
    (arguments.seconds("0"), "1e3"),
    (arguments.seconds("0"), "-1"),
    (arguments.whole_seconds(0, 10), "1.5"),
    (arguments.MARK, "08"),
    (arguments.MARK, "0x"),
    (arguments.PREFIX, "192.0.2.1/33"),
    (arguments.PREFIX, "192.0.2.1/"),
    (arguments.PREFIX, "192.0.2"),
    (arguments.ADDRESS4, "fd00::1"),
    (arguments.HOST, "10.0.0"),
    (arguments.HOST, "10.0.0.l1"),
    (arguments.HOST, "web..example"),
    (arguments.HOST, "-web.example"),
    (arguments.HOST, "web.example-"),
    (arguments.HOST, "web example"),
    (arguments.HOST, "0x7f000001"),
    (arguments.HOST, "a" * 64 + ".example"),
    (arguments.HOST, "a." * 127 + "example"),
    (arguments.BOOL, "On"),
    (arguments.choice("TCP", "UDP"), "tcp"),
    (arguments.STATUS, "99"),
    (arguments.STATUS, "300-200"),
    (arguments.MD5, "abc"),
    (arguments.MULTICAST4, "192.0.2.1"),
    (arguments.INTERFACE, "sixteen_letters_"),
]


@pytest.mark.parametrize(("argument", "text", "value"), GOOD)
def test_good_text_becomes_its_value(argument: Argument, text: str, value: Value) -> None:
    remarks: list[str] = []
    assert read_value(argument, text, remarks) == value
    assert remarks == []


@pytest.mark.parametrize(("argument", "text"), BAD)
def test_bad_text_is_refused(argument: Argument, text: str) -> None:
    with pytest.raises(BadValue):
        read_value(argument, text, [])


def test_more_decimals_than_allowed_are_rounded_and_said() -> None:
    remarks: list[str] = []
    assert read_value(arguments.seconds("0"), "0.0000015", remarks) == 2000
    assert remarks == ["'0.0000015' has more than 6 decimal places: rounded"]


def test_a_clamped_number_is_pulled_into_its_range_and_said() -> None:
    remarks: list[str] = []
    assert read_value(arguments.number(-253, 253, clamp=True), "254", remarks) == 253
    assert remarks == ["'254' is out of range (-253..253): 253 is used"]


def test_what_was_expected_names_the_range() -> None:
    with pytest.raises(BadValue) as caught:
        read_value(arguments.seconds("0.01", "255"), "300", [])
    assert caught.value.expected == "number of seconds from 0.01 to 255, at most 6 decimal places"


@pytest.mark.parametrize("text", ["0.0.0.0", "255.255.255.255", "10.9.99.199", "249.250.100.1"])
def test_an_ipv4_address_is_canonical_as_it_stands(text: str) -> None:
    assert canonical_address(text) is text


@pytest.mark.parametrize("text", ["256.0.0.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.04", "1.2.3.4\n", "٣.1.1.1"])
def test_what_only_looks_like_one_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        canonical_address(text)


def test_addresses_become_canonical() -> None:
    assert canonical_address("FE80:0::1") == "fe80::1"
