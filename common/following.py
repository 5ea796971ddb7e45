"""Levels and edges as their receiver sees them: does what came follow on what we have? Keeps numbers, no verdicts."""

from __future__ import annotations


class Following:
    """The generation and sequence of one sender. A False answer means: ask for a snapshot."""

    def __init__(self) -> None:
        self._generation: int | None = None
        self._sequence = 0

    def snapshot(self, generation: int, sequence: int) -> None:
        """A whole state came: from here on."""
        self._generation, self._sequence = generation, sequence

    def edge(self, generation: int, sequence: int) -> bool:
        """A change came. True when it is the next one and may be used."""
        if generation != self._generation or sequence != self._sequence + 1:
            return False
        self._sequence = sequence
        return True

    def beat(self, generation: int, sequence: int) -> bool:
        """The sender says where it is. True when we have it all."""
        return generation == self._generation and sequence == self._sequence
