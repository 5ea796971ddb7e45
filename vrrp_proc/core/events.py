"""What can happen to a virtual router: past facts. A closed union; every handler matches all of them."""

from __future__ import annotations

import enum

from pyhad.common.config.model import Path, Place, VrrpInstance
from pyhad.common.records import dataclass


class FaultCause(enum.StrEnum):
    """Why a virtual router cannot take part (FSM-40)."""

    INTERFACE_DOWN = "interface_down"
    INTERFACE_MISSING = "interface_missing"
    NO_SOURCE_ADDRESS = "no_source_address"
    NO_MULTICAST = "no_multicast"
    """Its interface is not able to, and there are no unicast peers (FIX-12)."""
    TRACKED_INTERFACE_DOWN = "tracked_interface_down"
    NO_UNICAST_PEER = "no_unicast_peer"
    TRACKED_SCRIPT_UNKNOWN = "tracked_script_unknown"
    """It has not ended once yet (FSM-51)."""
    TRACKED_SCRIPT_FAILED = "tracked_script_failed"
    TRACKED_FILE = "tracked_file"
    TRACKED_PROCESS = "tracked_process"
    """Too few or too many of them live, or none were counted yet (TRK-41)."""
    TRACKED_BFD = "tracked_bfd"
    """The session is not up (TRK-50)."""
    SYNC_GROUP = "sync_group"
    """Another member of its sync group is in fault (GRP-1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Startup:
    """The machine may begin (6.4.1). `faults` are the causes that hold already.

    `restored_active` and the fields after it come from the black box of a dead predecessor: it was Active and sent its
    last advertisement at `last_sent_ns`. `restored_backup_of` is the master it knew as Backup, "" if none. Every one of
    them is in `VirtualRouter.snapshot()`: state is MASTER, last_sent_ns, master_address, master_priority,
    active_adver_interval_cs, active_down_at_ns (above 0 says that it was Backup), since_ns.
    """

    faults: frozenset[FaultCause]
    source_address: str
    restored_active: bool = False
    last_sent_ns: int = 0
    restored_backup_of: str = ""
    restored_master_priority: int = 0
    restored_master_interval_cs: int = 0
    restored_down_at_ns: int = 0
    restored_since_ns: int = 0
    """Since when it was in that state, so that a resumed router keeps its age; 0: unknown."""
    restored_standby_until_ns: int = 0
    """An operator's standby that outlives the process; 0: none (see StandbyWanted)."""
    found_addresses: bool = False
    """Some of its addresses are installed already, by a predecessor: neighbours may have been answered until now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvertisementReceived:
    """A good advertisement of another router for our VRID (PKT-20 to PKT-31 are passed)."""

    source: str
    priority: int
    interval_cs: int
    """Max Advertise Interval of version 3; version 2: the agreed interval."""
    addresses_match: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePassed:
    """`now` reached `next_deadline_ns()`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultsChanged:
    """The causes that hold now; empty means able to take part."""

    faults: frozenset[FaultCause]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorityChanged:
    """What the trackers add to the base priority became another sum (TRK-1). It may come before `Startup`."""

    adjustment: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOverTogether:
    """Every member of its sync group may be Active (GRP-2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDownTogether:
    """Another member of its sync group hears a better router (GRP-1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LowerHeardTogether:
    """Another member of its sync group heard a lesser router (GRP-8)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceAddressChanged:
    """The primary address of the interface, used as source and in the tie rule."""

    source_address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressesLost:
    """Addresses that we hold as Active are gone: somebody else removed them (FSM-37), or their interface went."""

    addresses: tuple[Place, ...]
    with_interface: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceRenewed:
    """An interface has another hardware address, or carries again: neighbours and switches may look elsewhere."""

    interface: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PathsInDoubt:
    """Routes and rules that may be gone: interfaces or addresses changed, or (`removed`) somebody removed some."""

    paths: tuple[Path, ...]
    removed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PathsSettled:
    """What came of the paths of an InstallAddresses."""

    added: tuple[Path, ...] = ()
    present: tuple[Path, ...] = ()
    refused: tuple[Path, ...] = ()
    mending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressesSettled:
    """What came of the addresses of an InstallAddresses; `present` were there already."""

    added: tuple[Place, ...] = ()
    present: tuple[Place, ...] = ()
    refused: tuple[Place, ...] = ()
    mending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationChanged:
    """A reload: the same router (REL-11) with other settings."""

    config: VrrpInstance


@dataclass(frozen=True, slots=True, kw_only=True)
class ShutdownWanted:
    """Orderly stop, or the instance is gone after a reload. `keep_addresses` is `-V`."""

    keep_addresses: bool = False
    patience_ns: int = 0
    """How long the addresses may be kept at most for a successor to come; 0: they are removed at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandbyWanted:
    """An operator wants somebody else to be master. `patience_ns` as with ShutdownWanted."""

    until_ns: int
    """When it is over by itself; `FOREVER_NS`: when it is taken back."""
    patience_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TakebackWanted:
    """An operator's standby is over."""


FOREVER_NS = 2**63 - 1

Event = (
    Startup | AdvertisementReceived | TimePassed | FaultsChanged | PriorityChanged | SourceAddressChanged
    | AddressesLost | ConfigurationChanged | ShutdownWanted | StandbyWanted | TakebackWanted
    | TakeOverTogether | StepDownTogether | LowerHeardTogether | InterfaceRenewed | PathsInDoubt | PathsSettled
    | AddressesSettled
)  # fmt: skip
