"""What a script helper and its master say to each other, one datagram each. Data only, and its codec."""

from __future__ import annotations

from pyhad.common.codec import Decoder
from pyhad.common.config.model.alerts import MailSettings
from pyhad.common.config.model.tracking import PLAIN_BUFFER, Fifo, Program, ReceiveBuffer, TrackFile, TrackProcess
from pyhad.common.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How programs are checked before they run (SEC-3, SEC-5). First thing, and after each reload."""

    script_security: bool
    keep_links: bool
    mail: MailSettings | None = None
    """Where mail goes; None: nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Run this and say how it ended. `ticket` is the sender's own."""

    ticket: int
    program: Program
    timeout_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Nobody waits for this check any more: end it. Answered by `Ended` when it is gone, also if it was before."""

    ticket: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """Run these one after the other, after whatever was told for `key` before. No answer."""

    key: str
    programs: tuple[Program, ...]
    timeout_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """Follow exactly these files; each is answered at once and after each change by `FileRead`.

    `initialize`: write the initial values first (TRK-22); only the first process of a daemon's life asks for it.
    """

    files: tuple[TrackFile, ...]
    initialize: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowProcesses:
    """Count exactly these processes; answered by `ProcessesCounted`, at once and after each change."""

    processes: tuple[TrackProcess, ...]
    watch: ReceiveBuffer = PLAIN_BUFFER


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFifo:
    """Make this FIFO and start its reader; answered by `FifoOpened`, the descriptor beside it."""

    fifo: Fifo


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseFifo:
    """It is not used any more: end the reader, remove what we made."""

    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """Send this, without waiting for it. No answer but `Trouble`."""

    subject: str
    body: str
    at_s: int
    """When it happened, seconds of CLOCK_REALTIME."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopt:
    """The configuration is another: the memfd that the parent gave for it comes beside this. For checkers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepLedger:
    """Put the memfd beside this at that path. Not for checkers."""

    path: str
    asks: bool
    """Answered by `LedgerFound` if notes were there before, which are kept beside it."""
    settles: bool = False
    """What was kept is seen to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """No more orders will come; answered by `Finished` when everything that was to be told has been."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A check ended: exit status, minus the signal that killed it. `detail` says why it could not run."""

    ticket: int
    status: int
    timed_out: bool = False
    """`TimedOut` was said before."""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedOut:
    """A check took too long and was told to go; `Ended` follows when it is gone, which may be never."""

    ticket: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRead:
    """What a tracked file holds now: 0 when it is missing or empty (TRK-21). A bad text is not answered."""

    name: str
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessesCounted:
    """How many processes of each `vrrp_track_process` live now, by its name."""

    counts: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something to log about a program that tells: a fixed token, the path, what is wrong."""

    event: str
    path: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FifoOpened:
    """The FIFO at `path` is there; `error` is empty, or says why not."""

    path: str
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerFound:
    """The notes that were there before, as a memfd beside this: for `ledger.notes_in`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """Nothing runs and nothing waits."""


MOST_BYTES = 256 * 1024
"""Longest datagram; a command line is far below."""

Order = (
    Rules | Check | Cancel | Tell | Follow | FollowProcesses | OpenFifo | CloseFifo | Mail | Adopt | KeepLedger | Finish
)
Answer = Ended | TimedOut | FileRead | ProcessesCounted | Trouble | FifoOpened | LedgerFound | Finished
ORDERS = Decoder(
    (Rules, Check, Cancel, Tell, Follow, FollowProcesses, OpenFifo, CloseFifo, Mail, Adopt, KeepLedger, Finish)
)
ANSWERS = Decoder((Ended, TimedOut, FileRead, ProcessesCounted, Trouble, FifoOpened, LedgerFound, Finished))
