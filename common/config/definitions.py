"""Definitions `$NAME=value` and their expansion (grammar.md section 7). Reads no file; the environment is handed in.

Expansion is textual, recursive and late: a value is looked up where it is used, put in the place of its name, and what
now stands there is looked at again. Bounds: a line stays below 1024 bytes, a definition cannot reach itself, and one
reading makes at most MAX_SUBSTITUTIONS.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches

from pyhad.common.config.reading_findings import Findings, Place
from pyhad.common.config.source import Severity, Trouble
from pyhad.common.config.words import BLANKS, Text
from pyhad.common.errors import ConfigError
from pyhad.common.records import dataclass

MAX_LINE_BYTES = 1023
MAX_SUBSTITUTIONS = 1_000_000

DEFINITION = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)=")
_USE = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)([ \t]+[^{}]*)?\}|([A-Za-z_][A-Za-z0-9_]*)(?=[ \t\f\n\r\v,)]|\Z))")
_BARE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_LATER_STATEMENT = re.compile(r"[{}][ \t]*~(?:SEQx?|LST)[ \t]*\(")
_PREDEFINED = frozenset({"_PWD", "_INSTANCE", "_RANDOM", "_ENV", "_HASH", "_BANG"})
_WITH_PARAMETERS = frozenset({"_RANDOM", "_ENV"})
_RANDOM_MAX = 32767
_MOST_DIGITS = 18


@dataclass(frozen=True, slots=True)
class StoredLine:
    """One line of a multi-line definition, with the physical line it was written on."""

    text: Text
    place: Place


@dataclass(frozen=True, slots=True)
class Definition:
    """What a name stands for: `value`, or several `lines`."""

    value: str
    place: Place
    lines: tuple[StoredLine, ...] = ()
    is_multiline: bool = False
    by_sequence: bool = False


@dataclass(slots=True)
class Unfinished:
    """A multi-line definition whose last line has not come yet; `column` is that of its name."""

    name: str
    place: Place
    column: int
    lines: list[StoredLine]


@dataclass(frozen=True, slots=True)
class Expansion:
    """A line after substitution. `following` are the further lines of the multi-line definition `name` at its end."""

    text: Text
    changed: bool
    used: tuple[str, ...] = ()
    name: str = ""
    following: tuple[StoredLine, ...] = ()
    is_final: bool = False
    """Something could not be expanded and was reported: trying again would never end."""


class Definitions:
    """The names known so far."""

    def __init__(
        self,
        *,
        instance: str,
        directory: Callable[[], str],
        environment: Mapping[str, str],
        seed: int | None,
        findings: Findings,
    ) -> None:
        self._named: dict[str, Definition] = {}
        self._instance = instance
        self._directory = directory
        self._environment = environment
        self._random = random.Random(seed)
        self._findings = findings
        self._left = MAX_SUBSTITUTIONS

    def __contains__(self, name: str) -> bool:
        return name in self._named or name in _PREDEFINED

    def __getitem__(self, name: str) -> Definition:
        return self._named[name]

    def nearest(self, name: str) -> str:
        """The known name most like `name`; empty when none is."""
        near = get_close_matches(name, [*self._named, *sorted(_PREDEFINED)], 1)
        return near[0] if near else ""

    def set(self, name: str, definition: Definition) -> None:
        """Define, or define anew."""
        self._named[name] = definition

    def seed(self, seed: int) -> None:
        """Start the random numbers anew (`random_seed`)."""
        self._random.seed(seed)

    def substitute(self, text: Text, place: Place) -> Expansion:
        """Expand every use in `text`. Raises ConfigError when the reading has used up its substitutions."""
        return _Substitution(self, text, place).run()

    def spend(self) -> None:
        """Count one substitution. Raises ConfigError past the bound."""
        self._left -= 1
        if self._left < 0:
            raise ConfigError(f"more than {MAX_SUBSTITUTIONS} substitutions", hint="a definition multiplies itself")

    def value_of(self, name: str, parameters: str | None, complain: Callable[[str], None]) -> Definition | str | None:
        """What a use stands for; None: unknown, or used in a way that was complained of."""
        defined = self._named.get(name)
        if parameters and name in self and (defined is not None or name not in _WITH_PARAMETERS):
            complain(f"${{{name}}} takes no parameters")
            return None
        if defined is not None:
            return defined
        words = (parameters or "").split()
        match name:
            case "_PWD":
                return self._directory()
            case "_INSTANCE":
                return self._instance
            case "_HASH":
                return "#"
            case "_BANG":
                return "!"
            case "_ENV":
                return self._variable(words, complain)
            case "_RANDOM":
                return self._number(words, complain)
        return None

    def _variable(self, words: list[str], complain: Callable[[str], None]) -> str | None:
        if len(words) != 1:
            complain("${_ENV NAME} takes one name")
            return None
        # Undecodable bytes and line ends of the environment must not travel on.
        value = os.fsencode(self._environment.get(words[0], "")).decode("utf-8", "replace")
        return " ".join(value.splitlines()).replace("\0", "")

    def _number(self, words: list[str], complain: Callable[[str], None]) -> str | None:
        if len(words) > 2 or not all(word.isascii() and word.isdigit() and len(word) <= _MOST_DIGITS for word in words):
            complain("${_RANDOM MIN MAX} takes at most two numbers, of digits only")
            return None
        least = int(words[0]) if words else 0
        most = int(words[1]) if len(words) > 1 else max(_RANDOM_MAX, least)
        if least > most:
            complain(f"the least number {least} is above the greatest {most}")
            return str(least)
        return str(self._random.randint(least, most))


class _Substitution:
    """One line on its way through expansion."""

    def __init__(self, definitions: Definitions, text: Text, place: Place) -> None:
        self._definitions = definitions
        self._findings = definitions._findings
        self._place = place
        self._text = text
        self._used: list[str] = []
        self._open: list[tuple[str, int]] = []
        """Names whose expansion we are inside of, each with the length of the text behind it."""
        self._name = ""
        self._following: tuple[StoredLine, ...] = ()
        self._changed = False
        self._failed = False

    def run(self) -> Expansion:
        """Go through the line from the left; what was put in is gone through as well."""
        position = self._text.text.find("$")
        while position >= 0:
            line = self._text.text
            later = _LATER_STATEMENT.search(line) if "~" in line else None
            if later is not None and later.start() < position:
                # What a sequence repeats is expanded once per value, not now.
                break
            match = _USE.match(line, position)
            if match is None:
                self._remark(position)
                following = position + 1
            else:
                following = self._use(match)
                if following < 0:
                    break
            position = self._text.text.find("$", following)
        return Expansion(
            text=self._text,
            changed=self._changed,
            used=tuple(self._used),
            name=self._name,
            following=self._following,
            is_final=self._failed or not self._changed,
        )

    def _use(self, match: re.Match[str]) -> int:
        """Expand one use; where to look on, -1 when the rest must wait."""
        name = match[1] or match[3]
        while self._open and len(match.string) - match.start() <= self._open[-1][1]:
            self._open.pop()
        self._definitions.spend()
        found = self._definitions.value_of(name, match[2], lambda message: self._error(match.start(), message))
        if found is None:
            return match.end()
        if isinstance(found, str):
            return self._put(match, name, found)
        if any(name == opened for opened, _ in self._open):
            chain = " -> ".join([*(f"${opened}" for opened, _ in self._open), f"${name}"])
            self._error(match.start(), f"the definition ${name} leads to itself: {chain}")
            return match.end()
        if not found.is_multiline:
            if not found.by_sequence and name not in self._used:
                self._used.append(name)
            return self._put(match, name, found.value)
        if match.string[match.end() :].strip(BLANKS):
            message = f"${name} has several lines: nothing may follow it"
            self._error(match.start(), message)
            return match.end()
        self._name = self._name or name
        if not match.start():
            # The use is the whole line: each line of the definition keeps its own place, the first one too.
            self._text, self._changed = Text("", ()), True
            self._following = found.lines + self._following
            return -1
        self._following = found.lines[1:] + self._following
        return self._put(match, name, found.lines[0].text.text if found.lines else "")

    def _put(self, match: re.Match[str], name: str, value: str) -> int:
        before = match.string[: match.start()]
        length = len(match.string) - (match.end() - match.start()) + len(value)
        if (
            length > MAX_LINE_BYTES // 4
            and len((before + value + match.string[match.end() :]).encode()) > MAX_LINE_BYTES
        ):
            self._error(match.start(), f"${name} would make the line longer than {MAX_LINE_BYTES} bytes")
            return match.end()
        self._open.append((name, len(match.string) - match.end()))
        self._text = self._text.replaced(match.start(), match.end(), value)
        self._changed = True
        begins_statement = not before.strip(BLANKS) or before.rstrip(BLANKS)[-1] in "{}"
        if begins_statement and value.lstrip(BLANKS)[:1] == "~":
            return -1
        return match.start()

    def _remark(self, position: int) -> None:
        bare = _BARE.match(self._text.text, position)
        if bare is not None and bare[1] in self._definitions:
            message = f"${bare[1]} is left as it is: a name without braces ends at a blank, a comma or a parenthesis"
            at = self._place.at(self._text.column(position))
            self._findings.add(Severity.NOTE, Trouble.GENERAL, message, at, f"${{{bare[1]}}}")

    def _error(self, position: int, message: str) -> None:
        self._failed = True
        self._findings.error(Trouble.GENERAL, message, self._place.at(self._text.column(position)))
