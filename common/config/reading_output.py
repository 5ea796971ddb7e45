"""The Lines that reading gives, and the balance of their braces. Knows nothing of where they come from."""

from __future__ import annotations

from pyhad.common.config.reading_findings import Findings
from pyhad.common.config.source import Line, LineKind, Piece, Trouble, Word

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
        self._end: Line | None = None
        """The last brace that closed a block."""

    def emit(self, piece: Piece, file: str, number: int, text: str, via: tuple[str, ...] = ()) -> None:
        """Add a line; a `}` that closes nothing is reported and left out. Raises ReadingStopped at the bound."""
        kind, lines = piece.kind, self.lines
        line = Line(piece, file, number, text, via)
        if kind is LineKind.OPEN:
            self._open.append(len(lines))
        elif kind is LineKind.CLOSE:
            if not self._open:
                hint = f"the block before it ends at {self._end.file}:{self._end.number}" if self._end else ""
                self._findings.error(Trouble.BRACE, "this } closes nothing", line.at, hint)
                return
            self._open.pop()
            self._end = line
        lines.append(line)
        if len(lines) >= self._most:
            self._findings.stop(f"more than {self._most} lines", line.at)

    def is_directly_in(self, keyword: str) -> bool:
        """Whether the next line belongs to a top-level block of that keyword and to no block inside it."""
        if len(self._open) != 1:
            return False
        block = self._block(self._open[0])
        return block is not None and block.words[0].text == keyword

    def finish(self, *, quietly: bool) -> list[Line]:
        """All lines, after naming (unless `quietly`) and closing the blocks that nobody closed."""
        for opened in () if quietly else self._open[:MAX_UNCLOSED]:
            block = self._block(opened)
            if block is None:
                self._findings.error(Trouble.BRACE, "this { is never closed", self.lines[opened].at, "add a }")
            else:
                name = " ".join(word.text for word in block.words[:2])[:80]
                message = f"the block {name} is never closed"
                self._findings.error(Trouble.BRACE, message, block.at, self._guess_end(opened, block))
        for opened in reversed(self._open):
            brace = self.lines[opened]
            piece = Piece(LineKind.CLOSE, (Word("}", brace.piece.column),), "}", brace.piece.column)
            self.lines.append(Line(piece, brace.file, brace.number, brace.text, brace.via))
        self._open.clear()
        return self.lines

    def _block(self, opened: int) -> Line | None:
        """The keyword line of the block whose OPEN is at index `opened`."""
        line = self.lines[opened - 1] if opened else None
        return line if line is not None and line.kind is LineKind.TEXT else None

    def _guess_end(self, opened: int, block: Line) -> str:
        """Where the `}` should probably stand: before the first line that is indented no deeper than the block."""
        is_indented: bool | None = None
        for line in self.lines[opened + 1 :]:
            if line.kind is not LineKind.TEXT or line.file != block.file or line.number <= block.number:
                continue
            if is_indented is None:
                is_indented = line.piece.column > block.piece.column
            if not is_indented:
                break
            if line.piece.column <= block.piece.column:
                return f"it seems to be missing before line {line.number}"
        return "add a }"
