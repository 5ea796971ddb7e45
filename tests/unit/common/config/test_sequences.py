"""What stands between the parentheses of `~SEQ` and `~LST` (grammar.md section 8)."""

from __future__ import annotations

import pytest

from pyhad.common.config.sequences import parse_sequence
from pyhad.common.errors import ConfigError


def values(kind: str, inside: str) -> list[str]:
    return [",".join(row) for row in parse_sequence(kind, inside).values()]


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("N, 10, 12", ["10", "11", "12"]),
        ("N,3", ["1", "2", "3"]),
        ("N,-2", ["-1", "-2"]),
        ("N,0", ["1", "0"]),
        ("N,3,1", ["3", "2", "1"]),
        ("N,5,-2,1", ["5", "3", "1"]),
        ("N,1,3,8", ["1", "4", "7"]),
        ("N,4,4", ["4"]),
        ("N,0xe,020", ["14", "15", "16"]),
        ("N,-1,1", ["-1", "0", "1"]),
    ],
)
def test_a_sequence_counts(inside: str, expected: list[str]) -> None:
    assert values("SEQ", inside) == expected


def test_a_hexadecimal_sequence_writes_no_prefix() -> None:
    assert values("SEQx", "H, 0xe, 0x10") == ["e", "f", "10"]


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("v, a, b, c", ["a", "b", "c"]),
        ("{v,w},{a,1},{b,2},{c}", ["a,1", "b,2", "c,"]),
        ("{v,w},{a,1},c", ["a,1", "c,"]),
        ("v,,b", ["", "b"]),
        ("v,{q},b", ["q", "b"]),
        ("{ v , w } , { a , 1 }", ["a,1"]),
    ],
)
def test_a_list_goes_through_its_rows(inside: str, expected: list[str]) -> None:
    assert values("LST", inside) == expected


@pytest.mark.parametrize(
    ("kind", "inside", "message"),
    [
        ("SEQ", "N,1,0,5", "a step of 0"),
        ("SEQ", "N,5,2,1", "never leads from 5 to 1"),
        ("SEQ", "N,1,-1,5", "never leads"),
        ("SEQ", "N", "one to three numbers"),
        ("SEQ", "N,1,2,3,4", "one to three numbers"),
        ("SEQ", "1N,2", "is no name"),
        ("SEQ", "N,x", "is no integer"),
        ("SEQ", "N,08", "is no octal number"),
        ("SEQ", "N,99999999999999999999", "too large"),
        ("SEQx", "N,-2", "no negative"),
        ("SEQx", "N,-1,1", "no negative"),
        ("LST", "v", "lists no values"),
        ("LST", "v,{a,b}", "2 values for 1 name: a,b"),
        ("LST", "{v,w},{a,b,c}", "3 values for 2 names"),
        ("LST", "v,a b", "has a blank"),
        ("LST", "v,{a,{b}}", "cannot understand"),
        ("LST", "", "is no name"),
    ],
)
def test_a_wrong_specification_says_what_is_wrong(kind: str, inside: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_sequence(kind, inside)


def test_a_long_sequence_costs_nothing_until_asked() -> None:
    assert next(parse_sequence("SEQ", "N,1,9000000000000000000").values()) == ("1",)
