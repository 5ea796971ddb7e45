"""Where a piece of configuration came from, and what there is to say about it.

The seam between the reader (lexical language, `reader.py`) and the grammar (keyword table, builders): the reader turns
files into `Line`s, the grammar turns Lines into the model; both report `Diagnostic`s.
"""

from __future__ import annotations

import enum

from pyhad.common.records import dataclass


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file as a person finds it: 1-based line and column of the physical line `text`."""

    file: str
    line: int
    column: int = 1
    text: str = ""
    via: tuple[str, ...] = ()
    """How the text got there, outermost first: `included at F:L`, `$NAME used at F:L`, `~SEQ at F:L`."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a line. `column` is 1-based in the physical line, as near as expansions allow."""

    text: str
    column: int
    quoted: bool = False


class LineKind(enum.Enum):
    """What a logical line is after braces have split the physical one (grammar.md section 5)."""

    TEXT = "text"
    OPEN = "{"
    CLOSE = "}"


@dataclass(frozen=True, slots=True)
class Piece:
    """What becomes one Line, but for its place: `column` is where it begins. Equal pieces are one object."""

    kind: LineKind
    words: tuple[Word, ...]
    raw: str
    column: int


@dataclass(slots=True)
class Line:
    """One logical line: keyword words, or a single brace. There are hundreds of thousands of large configurations:
    it holds the pieces of its place and makes a Location when one is wanted. Never changed once it is made.
    """

    piece: Piece
    file: str
    number: int
    text: str
    """The physical line."""
    via: tuple[str, ...] = ()

    @property
    def kind(self) -> LineKind:
        """Words or a brace."""
        return self.piece.kind

    @property
    def words(self) -> tuple[Word, ...]:
        """Of a brace, the brace."""
        return self.piece.words

    @property
    def raw(self) -> str:
        """The text after substitution and comment removal, for the second pass of scripts (grammar.md section 4)."""
        return self.piece.raw

    @property
    def at(self) -> Location:
        """Where it stands."""
        return Location(self.file, self.number, self.piece.column, self.text, self.via)


class Severity(enum.IntEnum):
    """ERROR: not usable. WARNING: usable, but not as written. NOTE: said, changes no exit status."""

    NOTE = 0
    WARNING = 1
    ERROR = 2


class Trouble(enum.Enum):
    """Class of a diagnostic; decides the exit status of a config test (grammar.md section 11)."""

    FILE_NOT_FOUND = "file_not_found"
    INCLUDE = "include"
    BAD_INTERFACE = "bad_interface"
    UNKNOWN_KEYWORD = "unknown_keyword"
    BRACE = "brace"
    QUOTE = "quote"
    MISSING_PARAMETER = "missing_parameter"
    INVALID_VALUE = "invalid_value"
    GENERAL = "general"
    DEPRECATED = "deprecated"
    SECURITY = "security"
    NOT_YET = "not_yet"
    """Understood, not yet acted on."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing to tell the person who wrote the file."""

    severity: Severity
    trouble: Trouble
    message: str
    at: Location
    hint: str = ""
    """The remedy, or the nearest known keyword."""
