"""What route and rule lines have in common while they are read: numbers behind names, complaints with a place.

Gives no meaning to a whole line: that is `builders`.
"""

from __future__ import annotations

from dataclasses import replace

from pyhad.common.config.complaints import Complaints
from pyhad.common.config.name_tables import Names, NameTables
from pyhad.common.config.source import Trouble
from pyhad.common.config.tree import Said, Statement


class Refused(Exception):
    """The line cannot be used; the reason has been said."""


class PathLine:
    """One line on its way to a route or a rule. Methods raise `Refused` after they complained."""

    def __init__(self, entry: Statement, names: NameTables, complaints: Complaints) -> None:
        self.entry = entry
        self.names = names
        self.complaints = complaints
        self.text = " ".join(word.text for word in entry.line.words)

    def refuse(self, message: str, said: Said | None = None, *, hint: str = "") -> Refused:
        """An error; to be raised by the caller."""
        at = self.entry.at if said is None else replace(self.entry.at, column=said.column)
        self.complaints.error(message, at, hint=hint, trouble=Trouble.INVALID_VALUE)
        return Refused()

    def warn(self, message: str, said: Said | None = None, *, hint: str = "") -> None:
        """A warning at that option."""
        at = self.entry.at if said is None else replace(self.entry.at, column=said.column)
        self.complaints.warning(message, at, hint=hint)

    def named(self, kind: Names, said: Said) -> int:
        """The number behind the option's value; a name that nobody knows leaves the line out (as keepalived does)."""
        return self._named(kind, text_of(said), said)

    def _named(self, kind: Names, text: str, said: Said) -> int:
        number = self.names.number(kind, text)
        if number is None:
            where = self.names.where(kind)
            self.warn(
                f"'{self.text}' is left out: {said.name} '{text}' is no number up to {kind.top} and no name of {where}",
                said,
                hint=f"write its number, or add the name to {where}",
            )
            raise Refused
        return number

    def realms(self, said: Said) -> int:
        """`[SRC/]DST` as the kernel wants it: the source in the upper half."""
        source, slash, destination = text_of(said).rpartition("/")
        upper = self._named(Names.REALM, source, said) if slash else 0
        return upper << 16 | self._named(Names.REALM, destination, said)


def text_of(said: Said) -> str:
    """The first value of an option as text."""
    return str(said.values[0])


def number_of(said: Said) -> int:
    """The first value of an option as a number."""
    value = said.values[0]
    assert isinstance(value, int)
    return value


def prefix_of(said: Said) -> tuple[str, int]:
    """(address, prefix length) of an option whose value is a prefix."""
    value = said.values[0]
    assert isinstance(value, tuple)
    return str(value[0]), int(value[1])


def family_of(address: str) -> int:
    """4 or 6, of a canonical address."""
    return 6 if ":" in address else 4
