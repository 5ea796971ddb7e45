"""Text of one argument to its value, checked against the table's kind and range (grammar.md section 10).

Whatever does not fit raises `BadValue`. Pure: asks neither the network nor the machine.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Callable

from pyhad.common.config.arguments import SECOND_NS, Argument, Kind

Value = str | int | bool | tuple[str, int] | tuple[int, int]

_NUMBER = re.compile(r"[ \t]*([+-]?[0-9]+)\Z")
_MARK = re.compile(r"(0[xX][0-9a-fA-F]+|[0-9]+)\Z")
_DECIMAL = re.compile(r"[ \t]*\+?([0-9]*)(?:\.([0-9]*))?\Z")
_STATUS = re.compile(r"([0-9]{3})(?:-([0-9]{3}))?\Z")
_MAC = re.compile(r"[0-9a-fA-F]{1,2}(:[0-9a-fA-F]{1,2}){4,5}\Z")
_MD5 = re.compile(r"[0-9a-fA-F]{32}\Z")
_BOOLEANS = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}
_HOST_NAME = re.compile(
    r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.?"
)
"""What ends with a number is an address, or meant to be one."""
_MAX_HOST_NAME = 253
_MAX_INTERFACE = 15
_MAX_DIGITS = 24
"""More digits than any range allows; keeps conversion cheap whatever the file holds."""


class BadValue(Exception):
    """The text is not what the argument wants. `reason` adds to what was expected."""

    def __init__(self, expected: str, reason: str = "", choices: tuple[str, ...] = ()) -> None:
        super().__init__(expected)
        self.choices = choices
        self.expected = expected
        self.reason = reason


def read_value(argument: Argument, text: str, remarks: list[str]) -> Value:
    """The value of `text`. What was changed to make it fit is added to `remarks`. Raises `BadValue`."""
    return _READERS[argument.kind](argument, text, remarks)


def _text(argument: Argument, text: str, remarks: list[str]) -> Value:
    if argument.pattern and not re.fullmatch(argument.pattern, text):
        raise BadValue(argument.expected())
    return text


def _interface(argument: Argument, text: str, remarks: list[str]) -> Value:
    if not text or text == "=" or len(text) > _MAX_INTERFACE or "/" in text or any(c.isspace() for c in text):
        raise BadValue(f"{argument.expected()} of at most {_MAX_INTERFACE} characters")
    return text


def _address(argument: Argument, text: str, remarks: list[str]) -> Value:
    return canonical_address(text, argument)


def _host(argument: Argument, text: str, remarks: list[str]) -> Value:
    """An address, or a name that is looked up later: never while reading."""
    is_meant_as_address = text.rpartition(".")[0].replace(".", "").isdigit()  # 10.0.0.l1
    if len(text) <= _MAX_HOST_NAME and _HOST_NAME.fullmatch(text) and not is_meant_as_address:
        return text.lower()
    return canonical_address(text, argument)


def canonical_address(text: str, argument: Argument | None = None) -> str:
    """The address in canonical text. Raises `BadValue`."""
    return _canonical(text, argument.kind if argument else Kind.ADDRESS)


@functools.lru_cache(maxsize=4_096)  # the servers of one service are often those of the next
def _canonical(text: str, kind: Kind) -> str:
    if kind in _ANY_IPV4 and _DOTTED.match(text):
        return text
    try:
        address = ipaddress.IPv6Address(text) if ":" in text else ipaddress.IPv4Address(text)
    except ValueError:
        raise BadValue(kind.value) from None
    if address.version != _VERSIONS.get(kind, address.version) or (kind in _MULTICASTS and not address.is_multicast):
        raise BadValue(kind.value)
    shown = str(address)
    return text if shown == text else shown  # one string for word and value


def _prefix(argument: Argument, text: str, remarks: list[str]) -> Value:
    address, slash, length = text.partition("/")
    canonical = canonical_address(address)
    widest = 128 if ":" in canonical else 32
    if not slash:
        return canonical, widest
    if not length.isascii() or not length.isdigit() or len(length) > _MAX_DIGITS or int(length) > widest:
        raise BadValue(argument.expected(), f"the length must be 0 to {widest}")
    return canonical, int(length)


def _number(argument: Argument, text: str, remarks: list[str]) -> Value:
    match = _NUMBER.match(text)
    if match is None or len(text) > _MAX_DIGITS:
        raise BadValue(argument.expected())
    return _in_range(argument, int(match.group(1)), text, remarks)


def _mark(argument: Argument, text: str, remarks: list[str]) -> Value:
    match = _MARK.match(text)
    if match is None or len(text) > _MAX_DIGITS:
        raise BadValue(argument.expected())
    digits = match.group(1)
    try:
        number = int(digits, 0 if digits[:2] in ("0x", "0X") else 8 if digits[0] == "0" else 10)
    except ValueError:
        raise BadValue(argument.expected()) from None
    return _in_range(argument, number, text, remarks)


def _time(argument: Argument, text: str, remarks: list[str]) -> Value:
    unit_digits = 9 if argument.kind is Kind.SECONDS else 6
    match = _DECIMAL.match(text)
    whole, part = (match.group(1), match.group(2)) if match else ("", None)
    if match is None or not (whole or part) or len(text) > _MAX_DIGITS or (part is not None and not argument.places):
        raise BadValue(argument.expected())
    places = part or ""
    if len(places) > argument.places:
        remarks.append(f"'{text}' has more than {argument.places} decimal places: rounded")
        rounded = (int(whole or "0") * 10 ** (argument.places + 1) + int(places[: argument.places + 1]) + 5) // 10
        value = rounded * 10 ** (unit_digits - argument.places)
    else:
        value = int(whole or "0") * 10**unit_digits + int(places.ljust(unit_digits, "0"))
    return _in_range(argument, value, text, remarks)


def _in_range(argument: Argument, value: int, text: str, remarks: list[str]) -> int:
    low, high = argument.low, argument.high
    if (low is None or value >= low) and (high is None or value <= high):
        return value
    if not argument.clamp:
        raise BadValue(argument.expected())
    fitted = low if low is not None and value < low else high
    assert fitted is not None
    shown = fitted // SECOND_NS if argument.kind is Kind.SECONDS else fitted
    remarks.append(f"'{text}' is out of range ({argument.range_text()}): {shown} is used")
    return fitted


def _boolean(argument: Argument, text: str, remarks: list[str]) -> Value:
    value = _BOOLEANS.get(text)
    if value is None:
        raise BadValue(argument.expected())
    return value


def _choice(argument: Argument, text: str, remarks: list[str]) -> Value:
    if text in argument.choices:
        return text
    if argument.fold:
        for known in argument.choices:
            if known.lower() == text.lower():
                return known
    raise BadValue(argument.expected(), choices=argument.choices)


def _status(argument: Argument, text: str, remarks: list[str]) -> Value:
    match = _STATUS.match(text)
    if match is None:
        raise BadValue(argument.expected())
    first = int(match.group(1))
    last = int(match.group(2)) if match.group(2) else first
    if not 100 <= first <= last <= 599:
        raise BadValue(argument.expected())
    return first, last


def _pattern(pattern: re.Pattern[str]) -> Callable[[Argument, str, list[str]], Value]:
    def read(argument: Argument, text: str, remarks: list[str]) -> Value:
        if pattern.match(text) is None:
            raise BadValue(argument.expected())
        return text.lower()

    return read


_VERSIONS = {Kind.ADDRESS4: 4, Kind.ADDRESS6: 6, Kind.MULTICAST4: 4, Kind.MULTICAST6: 6}
_MULTICASTS = (Kind.MULTICAST4, Kind.MULTICAST6)
_ANY_IPV4 = (Kind.ADDRESS, Kind.ADDRESS4, Kind.HOST)
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_DOTTED = re.compile(rf"{_OCTET}\.{_OCTET}\.{_OCTET}\.{_OCTET}\Z")
"""Canonical as it stands."""
_READERS: dict[Kind, Callable[[Argument, str, list[str]], Value]] = {
    Kind.STRING: _text,
    Kind.PATH: _text,
    Kind.SCRIPT: _text,
    Kind.USER: _text,
    Kind.INTERFACE: _interface,
    Kind.ADDRESS: _address,
    Kind.HOST: _host,
    Kind.ADDRESS4: _address,
    Kind.ADDRESS6: _address,
    Kind.PREFIX: _prefix,
    Kind.MULTICAST4: _address,
    Kind.MULTICAST6: _address,
    Kind.NUMBER: _number,
    Kind.MARK: _mark,
    Kind.SECONDS: _time,
    Kind.MILLISECONDS: _time,
    Kind.BOOLEAN: _boolean,
    Kind.CHOICE: _choice,
    Kind.MD5: _pattern(_MD5),
    Kind.STATUS: _status,
    Kind.MAC: _pattern(_MAC),
}
