"""The Lines that reading gives, and the balance of their braces. Knows nothing of where they come from."""

from __future__ import annotations

from pyhad.common.config.reading_findings import Findings
from pyhad.common.config.source import Line, LineKind, Location, Trouble, Word
from pyhad.common.config.words import Piece

MAX_UNCLOSED = 20
"""Unclosed blocks that are named one by one."""


class Output:
    """Lines so far. What `finish` leaves behind is balanced, whatever came in."""

    def __init__(self, most_lines: int, findings: Findings) -> None:
        self.lines: list[Line] = []
        self._most = most_lines
        self._findings = findings
        self._open: list[int] = []
        """Indexes of the OPEN lines that are not closed yet."""
        self._end: Location | None = None
        """The last brace that closed a block."""

    def emit(self, piece: Piece, at: Location) -> None:
        """Add a line; a `}` that closes nothing is reported and left out. Raises ReadingStopped at the bound."""
        kind, lines = piece.kind, self.lines
        if kind is LineKind.OPEN:
            self._open.append(len(lines))
        elif kind is LineKind.CLOSE:
            if not self._open:
                hint = f"the block before it ends at {self._end.file}:{self._end.line}" if self._end else ""
                self._findings.error(Trouble.BRACE, "this } closes nothing", at, hint)
                return
            self._open.pop()
            self._end = at
        lines.append(Line(kind, piece.words, piece.raw, at))
        if len(lines) >= self._most:
            self._findings.stop(f"more than {self._most} lines", at)

    def is_directly_in(self, keyword: str) -> bool:
        """Whether the next line belongs to a top-level block of that keyword and to no block inside it."""
        if len(self._open) != 1:
            return False
        block = self._block(self._open[0])
        return block is not None and block.words[0].text == keyword

    def finish(self, *, quietly: bool) -> tuple[Line, ...]:
        """All lines, after naming (unless `quietly`) and closing the blocks that nobody closed."""
        for opened in () if quietly else self._open[:MAX_UNCLOSED]:
            block = self._block(opened)
            brace = self.lines[opened].at
            if block is None:
                self._findings.error(Trouble.BRACE, "this { is never closed", brace, "add a }")
            else:
                name = " ".join(word.text for word in block.words[:2])[:80]
                message = f"the block {name} is never closed"
                self._findings.error(Trouble.BRACE, message, block.at, self._guess_end(opened, block.at))
        for opened in reversed(self._open):
            at = self.lines[opened].at
            self.lines.append(Line(LineKind.CLOSE, (Word("}", at.column),), "}", at))
        self._open.clear()
        return tuple(self.lines)

    def _block(self, opened: int) -> Line | None:
        """The keyword line of the block whose OPEN is at index `opened`."""
        line = self.lines[opened - 1] if opened else None
        return line if line is not None and line.kind is LineKind.TEXT else None

    def _guess_end(self, opened: int, block: Location) -> str:
        """Where the `}` should probably stand: before the first line that is indented no deeper than the block."""
        is_indented: bool | None = None
        for line in self.lines[opened + 1 :]:
            at = line.at
            if line.kind is not LineKind.TEXT or at.file != block.file or at.line <= block.line:
                continue
            if is_indented is None:
                is_indented = at.column > block.column
            if not is_indented:
                break
            if at.column <= block.column:
                return f"it seems to be missing before line {at.line}"
        return "add a }"
