"""The three states of RFC 9568 6.4, each with its deadlines inside, and what the outside may know of a router.

Leaving a state drops its deadlines with it: there is nothing to cancel and no late timer to recognise.
"""

from __future__ import annotations

import enum

from pyhad.common.config.model import Path, VirtualAddress
from pyhad.common.records import dataclass
from pyhad.common.states import RouterState
from pyhad.vrrp_proc.core.effects import Reason
from pyhad.vrrp_proc.core.events import FaultCause


@dataclass(frozen=True, slots=True, kw_only=True)
class Initialize:
    """Takes no part (6.4.1). `started` without `faults` does not occur: such a router is a Backup at once."""

    started: bool = False
    faults: frozenset[FaultCause] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """Listens (6.4.2)."""

    active_down_at_ns: int
    active_adver_interval_cs: int
    master_address: str = ""
    """Who was heard last; "" while nobody is known, and again after a release."""
    master_priority: int = 0
    preempt_after_ns: int | None = None
    """End of the running preempt delay; None: it starts with the next lower advertisement (FSM-25)."""
    released: bool = False
    """The master said last that it stops."""
    late: bool = False
    """It was Active and was silent for longer than its peers wait: one of them may be in its place, or soon be."""
    expired: bool = False
    """It waited in vain and would be Active, but for its sync group (GRP-2)."""


@enum.unique
class Chore(enum.IntEnum):
    """What an Active router has to do besides advertising."""

    ANNOUNCE_AGAIN = 1
    """The second burst, `garp_master_delay` after the first (NET-22)."""
    REFRESH = 2
    """Each `garp_master_refresh` (NET-23)."""
    ANNOUNCE_AFTER_LOWER = 3
    """The second burst after a lower advertisement (FSM-34)."""
    PUT_BACK = 4
    """Addresses that others remove again and again are put back with a pause between."""
    ANNOUNCE_AFTER_RELEASE = 5
    """Once more, after a predecessor that stopped in an orderly way has let go of its addresses."""
    ANNOUNCE_EXTRA = 6
    """Each `garp_extra_if`: one address of each further interface (NET-26)."""
    ANSWER_RELEASE = 7
    """Somebody stopped so soon after another that the answer had to wait (FSM-32)."""
    RETRY = 8
    """Addresses, routes and rules that are not there, as the kernel refused them or their interface went."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Active:
    """Holds the addresses and says so (6.4.3)."""

    adver_at_ns: int
    chores: tuple[tuple[int, Chore], ...] = ()
    """(when, what), soonest first; each kind at most once."""
    asserted_until_ns: int = 0
    """Lower advertisements are not answered again before this: a flood of them is not to become a flood of ours."""
    owner_conflict_until_ns: int | None = None
    """When to give in to another owner (FSM-36)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parting:
    """These addresses are still installed though the router is Active no more."""

    addresses: tuple[VirtualAddress, ...]
    remove_at_ns: int
    paths: tuple[Path, ...] = ()
    successor: str = ""
    """Who was heard; "" while nobody was."""
    released_at_ns: int | None = None
    """When priority 0 was said; None: it gives way to somebody who was heard."""
    is_unsure: bool = False
    """The successor spoke when nobody does who heard our priority 0: it may have been Active all the time."""


State = Initialize | Backup | Active


def scheduled(chores: tuple[tuple[int, Chore], ...], chore: Chore, at_ns: int) -> tuple[tuple[int, Chore], ...]:
    """`chores` with `chore` due at `at_ns`; if it was due already, the later moment replaces the earlier."""
    others = (entry for entry in chores if entry[1] is not chore)
    return tuple(sorted((*others, (at_ns, chore))))


KEEPALIVED_COUNTERS = (
    "advert_rcvd", "advert_sent", "become_master", "release_master", "packet_len_err", "advert_interval_err",
    "ip_ttl_err", "invalid_type_rcvd", "addr_list_err", "invalid_authtype", "authtype_mismatch", "auth_failure",
    "pri_zero_rcvd", "pri_zero_sent",
)  # fmt: skip
"""Names and order of the statistics of one router (SIG-25); those of ours come after them."""


@dataclass(slots=True, kw_only=True)
class Counters:
    """Statistics that the machine keeps, under Keepalived's names."""

    become_master: int = 0
    release_master: int = 0
    pri_zero_rcvd: int = 0
    pri_zero_sent: int = 0
    advert_rcvd: int = 0
    advert_sent: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A virtual router at one moment, for status and for the black box (times on the monotonic clock)."""

    state: RouterState
    since_ns: int
    reason: Reason
    effective_priority: int
    master_address: str
    """Ours while MASTER, "" when unknown."""
    master_priority: int
    active_adver_interval_cs: int
    """As Backup the interval of the master we wait for, else our own."""
    active_down_at_ns: int
    """0 unless BACKUP."""
    last_sent_ns: int
    """When this router last advertised with a priority above 0; 0: never."""
    faults: frozenset[FaultCause]
    standby_until_ns: int = 0
    """Until when an operator holds it back; 0: not at all."""
