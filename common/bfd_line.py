"""The line to the process that speaks BFD: its levels and edges, and its silence. For whoever follows sessions (BFD-9).

The BFD process is the hub: it serves whoever asks with `SnapshotWanted`, first thing on each connection.
"""

from __future__ import annotations

from collections.abc import Callable

from pyhad.common.bus import Link
from pyhad.common.channels import BFD
from pyhad.common.following import Following
from pyhad.common.loop import Timer
from pyhad.common.messages import Beat, SnapshotWanted
from pyhad.common.messages_bfd import BfdChanged, BfdSnapshot
from pyhad.common.runtime import Runtime

SILENCE_NS = 3_000_000_000
"""Six beats. A process that is replaced speaks again long before."""

BfdWord = BfdSnapshot | BfdChanged | None
"""None: nobody vouches any more for what was said."""


class BfdLine:
    """No socket until sessions are followed. `on_word` hears what follows on what it has heard before."""

    def __init__(self, runtime: Runtime, on_word: Callable[[BfdWord], None]) -> None:
        self._runtime = runtime
        self._on_word = on_word
        self._link: Link | None = None
        self._following = Following()
        self._silence: Timer | None = None

    def follow(self, *, wanted: bool) -> None:
        """As of the last (re)load: whether there are sessions to hear of."""
        if wanted is (self._link is not None):
            return
        if self._link is None:
            self._link = self._connect()
            self._expect()
        else:
            self._link.close()
            self._link = None
            self._expect_nothing()
            self._forget()

    def _connect(self) -> Link:
        runtime = self._runtime
        return Link(
            runtime.loop, runtime.bus, BFD, path=runtime.path(BFD.path), identity=runtime.name.value,
            logger=runtime.logger, counters=runtime.counters, on_message=self._heard,
            on_up=lambda: self._ask("connected"),
        )  # fmt: skip

    def _ask(self, reason: str) -> None:
        if self._link is not None:
            self._link.send(SnapshotWanted(reason=reason))

    def _heard(self, message: BfdSnapshot | BfdChanged | Beat) -> None:
        self._expect()
        match message:
            case BfdSnapshot():
                self._following.snapshot(message.generation, message.sequence)
                self._on_word(message)
            case BfdChanged():
                if self._following.edge(message.generation, message.sequence):
                    self._on_word(message)
                else:
                    self._ask("change_missed")
            case Beat():
                if not self._following.beat(message.generation, message.sequence):
                    self._ask("beat_ahead")

    def _expect(self) -> None:
        """Another word, before what is known is known no more."""
        self._expect_nothing()
        self._silence = self._runtime.loop.after(SILENCE_NS, self._forget)

    def _expect_nothing(self) -> None:
        if self._silence is not None:
            self._silence.cancel()

    def _forget(self) -> None:
        self._following = Following()  # who speaks again after that has to say it all
        self._on_word(None)
