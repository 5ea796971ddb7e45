"""`~SEQ`, `~SEQx` and `~LST` (grammar.md section 8): what the part in parentheses means. Repeats no line itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pyhad.common.config.words import BLANKS
from pyhad.common.errors import ConfigError
from pyhad.common.records import dataclass

SEQUENCE = re.compile(r"~(SEQx?|LST)[ \t\f\r\v]*\(")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_INTEGER = re.compile(r"([+-]?)(0[xX][0-9A-Fa-f]{1,16}|[0-9]{1,20})\Z")
_ITEM = re.compile(r"[ \t]*(?:\{([^{}]*)\}[ \t]*|([^{},]*))(,|\Z)")
_LARGEST = 1 << 63


@dataclass(frozen=True, slots=True)
class Sequence:
    """Names, and the rows of values that they take one after the other."""

    names: tuple[str, ...]
    numbers: range = range(0)
    as_hex: bool = False
    rows: tuple[tuple[str, ...], ...] = ()

    def values(self) -> Iterator[tuple[str, ...]]:
        """Each row, made when asked for: a sequence may be long."""
        for number in self.numbers:
            yield (format(number, "x" if self.as_hex else "d"),)
        yield from self.rows


def parse_sequence(kind: str, inside: str) -> Sequence:
    """What stands between the parentheses of `~KIND(...)`. Raises ConfigError."""
    return _listed(inside) if kind == "LST" else _counted(inside, as_hex=kind == "SEQx")


def _counted(inside: str, *, as_hex: bool) -> Sequence:
    parts = [part.strip(BLANKS) for part in inside.split(",")]
    if not 2 <= len(parts) <= 4:
        raise ConfigError("it takes a name and one to three numbers", hint="~SEQ(NAME, FIRST, LAST)")
    name = _name(parts[0])
    numbers = [_integer(part) for part in parts[1:]]
    last = numbers[-1]
    first = numbers[0] if len(numbers) > 1 else (-1 if last < 0 else 1)
    step = numbers[1] if len(numbers) > 2 else (1 if last >= first else -1)
    if step == 0:
        raise ConfigError("a step of 0 never ends")
    if (last - first) * step < 0:
        raise ConfigError(f"a step of {step} never leads from {first} to {last}")
    if as_hex and (first < 0 or last < 0):
        raise ConfigError("~SEQx knows no negative numbers")
    return Sequence((name,), range(first, last + (1 if step > 0 else -1), step), as_hex)


def _listed(inside: str) -> Sequence:
    items: list[tuple[str, ...]] = []
    position = 0
    while True:
        match = _ITEM.match(inside, position)
        if match is None:
            raise ConfigError(f"cannot understand {inside[position:]!r}", hint="~LST({A,B},{1,2},{3,4})")
        text = match[2] if match[1] is None else match[1]
        items.append(tuple(part.strip(BLANKS) for part in text.split(",")))
        position = match.end()
        if not match[3]:
            break
    names = tuple(_name(part) for part in items[0])
    if len(items) < 2:
        raise ConfigError("it lists no values")
    rows: list[tuple[str, ...]] = []
    for row in items[1:]:
        if len(row) > len(names):
            raise ConfigError(f"{len(row)} values for {len(names)} name{'s' * (len(names) > 1)}: {','.join(row)}")
        if blank := next((value for value in row if re.search(r"\s", value)), None):
            raise ConfigError(f"the value {blank!r} has a blank in it")
        rows.append(row + ("",) * (len(names) - len(row)))
    return Sequence(names, rows=tuple(rows))


def _name(text: str) -> str:
    if not _NAME.match(text):
        raise ConfigError(f"{text!r} is no name")
    return text


def _integer(text: str) -> int:
    match = _INTEGER.match(text)
    if match is None:
        raise ConfigError(f"{text!r} is no integer")
    digits = match[2]
    octal = len(digits) > 1 and digits[0] == "0" and digits[1] not in "xX"
    if octal and not set(digits) <= set("01234567"):
        raise ConfigError(f"{text!r} is no octal number")
    value = int(digits, 16 if digits[:2] in ("0x", "0X") else 8 if octal else 10)
    if value >= _LARGEST:
        raise ConfigError(f"{text!r} is too large")
    return -value if match[1] == "-" else value
