"""What the VRRP process gets: virtual routers, their addresses, and all that goes with them. Pure data.

The names are used by way of `model.py`, which says what holds for all documents.
"""

from __future__ import annotations

from pyhad.common.config.model.alerts import MailSettings
from pyhad.common.config.model.checks import SECOND_NS
from pyhad.common.config.model.garp import USUAL_ANNOUNCEMENT, AnnounceLimit, Announcement
from pyhad.common.config.model.hmac import HmacSettings
from pyhad.common.config.model.lookout import NO_LOOKOUT, Lookout
from pyhad.common.config.model.routes import VirtualRoute, VirtualRule
from pyhad.common.config.model.tracking import (
    NOBODY,
    PLAIN_BUFFER,
    Fifo,
    InterfaceDelay,
    Notify,
    ReceiveBuffer,
    SyncGroup,
    Tracker,
    TrackFile,
    TrackProcess,
    TrackScript,
)
from pyhad.common.config.model.unicast import UnicastChecksum, UnicastPeer
from pyhad.common.config.model.vmac import PLAIN_FIREWALL, Firewall, Vmac
from pyhad.common.records import dataclass, field

Place = tuple[str, str]
"""(interface, address): the same address may be on several interfaces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualAddress:
    """One address that a virtual router holds while MASTER (NET-1)."""

    address: str
    prefix_len: int
    interface: str
    """Device it goes on: its own `dev`, else the instance's interface."""
    scope: int = 0
    """RT_SCOPE_*: 0 global, 253 link, 254 host."""
    label: str = ""
    broadcast: str = ""
    preferred_lft_s: int | None = None
    """None: for ever. 0, as of an IPv6 /128 unless said otherwise: nobody takes it as source unasked (NET-1)."""
    use_vmac: bool = False
    """It asks for a virtual MAC of its own accord (VMAC-8)."""
    peer: str = ""  # the other end of a point-to-point link; `prefix_len` is its prefix then
    flags: int = 0  # IFA_F_* of home, mngtmpaddr, noprefixroute, autojoin
    detects_duplicates: bool = False  # IPv6: the kernel asks first whether somebody has it (`-nodad`)
    tracked: bool = True  # its loss and that of its interface matter (TRK-31)

    @property
    def place(self) -> Place:
        """What tells it from all others of the machine."""
        return self.interface, self.address


@dataclass(frozen=True, slots=True, kw_only=True)
class Statics:
    """What is there while the daemon runs, whoever is master."""

    addresses: tuple[VirtualAddress, ...] = ()
    routes: tuple[VirtualRoute, ...] = ()
    rules: tuple[VirtualRule, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.addresses or self.routes or self.rules)


NO_STATICS = Statics()


@dataclass(frozen=True, slots=True, kw_only=True)
class VrrpInstance:
    """One `vrrp_instance`, complete and checked: its core needs nothing else.

    `family` is 4 or 6. `advertisement_interval_cs` is whole seconds times 100 in version 2.
    """

    name: str
    vrid: int
    family: int
    interface: str
    version: int
    start_as_master: bool
    base_priority: int
    advertisement_interval_cs: int
    down_timer_adverts: int = 3
    highest_other_priority: int = 254
    """Nobody of the others has a higher one: so soon a silence of ours is noticed (`timer_expired_backup`)."""
    preempt_mode: bool = True
    preempt_delay_ns: int = 0
    higher_prio_send_advert: bool = False
    lower_prio_no_advert: bool = False
    skip_check_adv_addr: bool = False
    checksum_pseudo_header: bool = True
    """Version 3 over IPv4: pseudo header in the checksum (PKT-3); False is `v3_checksum_as_v2`."""
    source_address: str = ""
    """`mcast_src_ip` or `unicast_src_ip`; empty: the interface's primary address."""
    multicast_group: str = "224.0.0.18"
    addresses: tuple[VirtualAddress, ...] = ()
    """Advertised, in configuration order (PKT-6)."""
    excluded_addresses: tuple[VirtualAddress, ...] = ()
    routes: tuple[VirtualRoute, ...] = ()
    rules: tuple[VirtualRule, ...] = ()
    put_back: bool = True
    """What others remove while MASTER is put back; False: mastership is given up (FSM-37)."""
    vip_lease_s: int = 0
    """The kernel removes the addresses when they were not renewed for so long (`pyhad_vip_lease`); 0: never."""
    tracked_interfaces: tuple[str, ...] = ()
    """Interfaces other than its own whose loss means FAULT (`track_interface` with weight 0)."""
    dont_track_primary: bool = False
    announcement: Announcement = USUAL_ANNOUNCEMENT
    authentication_data: bytes = field(default=b"", repr=False)
    """Version 2: the 8 bytes of an `auth_pass`, a secret: never log or show it. Empty: no authentication."""
    authentication_header: bool = False
    """They are the key of an IP authentication header (`auth_type AH`), not a password that is sent."""
    hmac: HmacSettings | None = None
    unicast_peers: tuple[UnicastPeer, ...] = ()
    """Whom the adverts go to, one each; empty: to the group."""
    unicast_ttl: int | None = None
    """None: 255 over IPv4, 64 over IPv6 (PKT-8)."""
    check_unicast_source: bool = False
    """Adverts of others than `unicast_peers` are dropped (PKT-36)."""
    unicast_checksum: UnicastChecksum = UnicastChecksum.DETECT
    track_source: bool = False
    """FAULT while the interface does not have `source_address` (`track_src_ip`)."""
    vrf: str = ""
    """By unicast without an `interface`: the VRF device that its sockets are bound to; empty: to none."""
    ignores_adverts: bool = False
    """An address owner that listens to nobody (PKT-33)."""
    fault_without_peers: bool = False
    """It was to use unicast and has nobody to talk to (`unicast_fault_no_peer`): it stays in FAULT."""
    trackers: tuple[Tracker, ...] = ()
    """Beyond `tracked_interfaces`: scripts, files, processes, BFD sessions, and interfaces with a weight or reversed;
    the group's too."""
    notify: Notify = NOBODY
    sync_group: str = ""
    """The group it is a member of; empty: it decides alone."""
    vmac: Vmac | None = None
    """The interface that it makes for itself on `interface`, for its addresses and its adverts."""
    vmac_xmit_base: bool = False
    """Adverts go out of `interface` all the same, with its MAC."""
    address_vmacs: tuple[Vmac, ...] = ()
    """Further ones, for addresses on other interfaces or of the other family (VMAC-8)."""
    accept_mode: bool = True
    """Packets sent to the addresses are accepted, though it may not own them (VMAC-23)."""
    promote_secondaries: bool = False

    @property
    def speaks_on(self) -> str:
        """The interface that its adverts leave and come by."""
        return self.interface or self.vrf if self.vmac is None or self.vmac_xmit_base else self.vmac.name

    @property
    def vmacs(self) -> tuple[Vmac, ...]:
        """All interfaces that it makes for itself."""
        return self.address_vmacs if self.vmac is None else (self.vmac, *self.address_vmacs)


@dataclass(frozen=True, slots=True, kw_only=True)
class VrrpDocument:
    """All that the VRRP process needs."""

    schema: int
    generation: int
    router_id: str
    instances: tuple[VrrpInstance, ...]
    startup_delay_ns: int = 0
    delay_after_boot_ns: int = 0
    child_wait_ns: int = 5 * SECOND_NS
    """The parent's patience with a process that stops; whoever takes longer is killed (PROC-6)."""
    scripts: tuple[TrackScript, ...] = ()
    """Those that an instance follows."""
    files: tuple[TrackFile, ...] = ()
    processes: tuple[TrackProcess, ...] = ()
    process_watch: ReceiveBuffer = PLAIN_BUFFER
    bfd_sessions: tuple[str, ...] = ()
    """Those that an instance follows."""
    groups: tuple[SyncGroup, ...] = ()
    fifos: tuple[Fifo, ...] = ()
    fifo_states_on_reload: bool = False
    statics: Statics = NO_STATICS
    interface_delays: tuple[InterfaceDelay, ...] = ()
    mail: MailSettings | None = None
    mails_faults: bool = True
    """False with `no_email_faults` (MAIL-9)."""
    announce_limits: tuple[AnnounceLimit, ...] = ()
    monitor_buffer: ReceiveBuffer = PLAIN_BUFFER
    """Of the socket that hears of interfaces and addresses."""
    script_security: bool = False
    """`enable_script_security`: what could be replaced by others than root does not run as root (SEC-3)."""
    keep_script_links: bool = False
    """`use_symlink_paths` (SEC-5)."""
    sync_instance: str = ""
    """The instance whose role the IPVS owner wants to know (`lvs_sync_daemon … inst`)."""
    daemon: str = ""
    """`instance` keyword: what tells its interfaces from those of another daemon."""
    firewall: Firewall = PLAIN_FIREWALL
    lookout: Lookout = NO_LOOKOUT
