"""What one argument of a keyword may be: its kind, range and choices. Data and constructors only; reads no text.

Whole numbers keep their range as it is; times keep theirs in ns.
"""

from __future__ import annotations

import enum
from dataclasses import replace
from decimal import Decimal

from pyhad.common.records import dataclass

UINT_MAX = 4294967295
INT_MAX = 2147483647
SECOND_NS = 1_000_000_000
TIMER_MAX = "4294.967295"


class Kind(enum.Enum):
    """How the text of an argument is read."""

    STRING = "text"
    PATH = "path"
    SCRIPT = "command"
    USER = "user"
    INTERFACE = "interface name"
    ADDRESS = "IP address"
    HOST = "IP address or host name"
    ADDRESS4 = "IPv4 address"
    ADDRESS6 = "IPv6 address"
    PREFIX = "IP address with an optional /length"
    MULTICAST4 = "IPv4 multicast address"
    MULTICAST6 = "IPv6 multicast address"
    NUMBER = "whole number"
    MARK = "whole number (0x and 0 prefixes allowed)"
    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"
    BOOLEAN = "on, true, yes, off, false or no"
    CHOICE = "one of"
    MD5 = "MD5 of 32 hexadecimal digits"
    STATUS = "HTTP status code or range, 100 to 599"
    MAC = "MAC address"


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument. `many` (only on the last one) takes all remaining words; `clamp` pulls a number into its range."""

    kind: Kind
    low: int | None = None
    high: int | None = None
    places: int = 0
    choices: tuple[str, ...] = ()
    fold: bool = False
    """Choices are compared without regard to case."""
    optional: bool = False
    many: bool = False
    clamp: bool = False
    label: str = ""
    pattern: str = ""
    """Regular expression that a text must match as a whole; empty: anything."""
    meaning: str = ""
    """For a person, where the kind or the label says too little."""

    def expected(self) -> str:
        """What a person should have written, with the range."""
        if self.kind is Kind.CHOICE:
            return f"one of {', '.join(self.choices)}"
        if self.meaning or self.pattern:
            return self.meaning or self.label
        text: str = "number of " + self.kind.value if self.kind in _TIMES else self.kind.value
        low, high = self._edge(self.low), self._edge(self.high)
        if low and high:
            text += f" from {low} to {high}"
        elif low:
            text += f" from {low}"
        if self.places:
            text += f", at most {self.places} decimal places"
        return text

    def range_text(self) -> str:
        """The range for the documentation, empty when there is none."""
        if self.kind is Kind.CHOICE:
            return ", ".join(self.choices)
        low, high = self._edge(self.low), self._edge(self.high)
        return f"{low or ''}..{high or ''}" if low or high else ""

    def _edge(self, value: int | None) -> str:
        if value is None:
            return ""
        unit = _TIMES.get(self.kind)
        return str(value) if unit is None else format((Decimal(value) / unit).normalize(), "f")


_TIMES = {Kind.SECONDS: SECOND_NS, Kind.MILLISECONDS: SECOND_NS // 1000}


def _plain(kind: Kind, label: str) -> Argument:
    return Argument(kind, label=label)


TEXT = _plain(Kind.STRING, "TEXT")
NAME = _plain(Kind.STRING, "NAME")
PATH = _plain(Kind.PATH, "PATH")
SCRIPT = _plain(Kind.SCRIPT, "COMMAND [USER [GROUP]]")
QUOTED = Argument(Kind.SCRIPT, label="TEXT", meaning="text, in double quotes where it has blanks or braces")
"""Text with escapes, read as a command is: one word, in quotes where it has blanks."""
REGEX = Argument(Kind.SCRIPT, label="PATTERN", meaning="pattern, in quotes where it has blanks or braces")
USER = _plain(Kind.USER, "USER")
GROUP = _plain(Kind.USER, "GROUP")
INTERFACE = _plain(Kind.INTERFACE, "IFNAME")
ADDRESS = _plain(Kind.ADDRESS, "ADDRESS")
HOST = _plain(Kind.HOST, "ADDRESS|NAME")
ADDRESS4 = _plain(Kind.ADDRESS4, "IPV4")
ADDRESS6 = _plain(Kind.ADDRESS6, "IPV6")
PREFIX = _plain(Kind.PREFIX, "ADDRESS[/LENGTH]")
MULTICAST4 = _plain(Kind.MULTICAST4, "IPV4")
MULTICAST6 = _plain(Kind.MULTICAST6, "IPV6")
BOOL = Argument(Kind.BOOLEAN, optional=True, label="BOOL")
MD5 = _plain(Kind.MD5, "MD5HEX")
STATUS = Argument(Kind.STATUS, many=True, label="CODE|CODE-CODE")
MAC = _plain(Kind.MAC, "MAC")
MARK = Argument(Kind.MARK, 0, UINT_MAX, label="MARK")


def text(label: str, pattern: str = "", meaning: str = "") -> Argument:
    """Free text, or a small language that its builder reads; with `pattern` its form is checked at once."""
    return Argument(Kind.STRING, label=label, pattern=pattern, meaning=meaning)


def number(low: int | None, high: int | None = None, *, clamp: bool = False) -> Argument:
    """A whole number in a range; decimal only (grammar.md section 10). What begins at 0 or above ends with 32 bits."""
    if high is None and low is not None and low >= 0:
        high = UINT_MAX
    return Argument(Kind.NUMBER, low, high, clamp=clamp, label="N")


def seconds(low: str, high: str | None = None, *, places: int = 6, clamp: bool = False) -> Argument:
    """Seconds with decimals; its value is ns."""
    top = None if high is None else int(Decimal(high) * SECOND_NS)
    return Argument(Kind.SECONDS, int(Decimal(low) * SECOND_NS), top, places=places, clamp=clamp, label="SECONDS")


def whole_seconds(low: int, high: int, *, clamp: bool = False) -> Argument:
    """Whole seconds; its value is ns."""
    return seconds(str(low), str(high), places=0, clamp=clamp)


def milliseconds(low: int, high: int) -> Argument:
    """Milliseconds with up to three decimals; its value is ns."""
    unit = SECOND_NS // 1000
    return Argument(Kind.MILLISECONDS, low * unit, high * unit, places=3, label="MILLISECONDS")


def choice(*choices: str, fold: bool = False) -> Argument:
    """One of some words."""
    return Argument(Kind.CHOICE, choices=choices, fold=fold, label="|".join(choices))


def optional(argument: Argument) -> Argument:
    """The same, but it may be missing."""
    return replace(argument, optional=True)


def many(argument: Argument) -> Argument:
    """The same, once for each remaining word."""
    return replace(argument, many=True)


# Small forms that are checked while reading; what they mean is their builders' business.
SPAN = text("A-B", r"[0-9]{1,10}-[0-9]{1,10}")
VIP_LEASE = text("auto|off|SECONDS", r"auto|off|[1-9][0-9]{0,4}")
WORKERS = text("auto|NUMBER", r"auto|[0-9]|[1-5][0-9]|6[0-4]", "auto, or number from 0 to 64")
LIFETIME = text("forever|SECONDS", r"forever|[0-9]{1,10}")
MILLIS_OR_SECONDS = text("TIME", r"[0-9]{1,10}(ms|s)?|[0-9]{1,7}\.[0-9]{1,3}s")
NETMASK = text("NETMASK|LENGTH", r"[0-9]{1,3}|[0-9]{1,3}(\.[0-9]{1,3}){3}")
RX_POLICY = text("MTU|ADVERT|BYTES", r"(?i:mtu|advert)|[0-9]{1,10}")
MARK_AND_MASK = text("MARK[/MASK]", r"(0[xX][0-9a-fA-F]{1,8}|[0-9]{1,10})(/(0[xX][0-9a-fA-F]{1,8}|[0-9]{1,10}))?")
_BIT = r"I[RWX](USR|GRP|OTH)|IRWX[UGO]"
UMASK = Argument(Kind.STRING, label="OCTAL|NAME|NAME", many=True, pattern=rf"0?[0-7]{{1,3}}|({_BIT}|\|)+")
