"""What is fuzzed: functions of some bytes that raise nothing, whatever the bytes are. A test failure if they do.

`packet` feeds the parsers of everything that comes in from the network to the VRRP process, `machine` a virtual router
with events, `configuration` the compiler, `response` (responses.py) the readers of what servers answer to checks. Each
knows what it may answer with, and raises AssertionError beyond that.
"""

from __future__ import annotations

import time
from dataclasses import replace

from pyhad.common.config.compile import CompileOptions, compile_text, encode_documents
from pyhad.common.config.diagnostics import render, to_json
from pyhad.common.config.model import HmacKey, HmacMode, HmacSettings, UnicastPeer, VirtualAddress, VrrpInstance
from pyhad.common.config.source import Severity
from pyhad.common.errors import PacketError
from pyhad.common.states import RouterState
from pyhad.vrrp_proc.core.auth_hmac import HmacMemory
from pyhad.vrrp_proc.core.effects import InstallAddresses, RemoveAddresses
from pyhad.vrrp_proc.core.events import (
    AddressesLost,
    AdvertisementReceived,
    ConfigurationChanged,
    Event,
    FaultCause,
    FaultsChanged,
    LowerHeardTogether,
    PriorityChanged,
    ShutdownWanted,
    SourceAddressChanged,
    StandbyWanted,
    Startup,
    StepDownTogether,
    TakebackWanted,
    TakeOverTogether,
    TimePassed,
)
from pyhad.vrrp_proc.core.packet import Received, check_advertisement, parse_ipv4, read_vrid
from pyhad.vrrp_proc.core.packet6 import parse_ipv6
from pyhad.vrrp_proc.core.sync_group import SyncGroup, seat_of
from pyhad.vrrp_proc.core.virtual_router import VirtualRouter
from pyhad.vrrp_proc.kernel.netlink import parse as parse_netlink
from tests.fuzz.responses import response
from tests.sim.invariants import check_effects

LONGEST_S = 5.0
"""Of processor time. One input of a fuzzer is small; a configuration of hundreds of lines takes hundredths of this."""

V2 = VrrpInstance(
    name="V", vrid=51, family=4, interface="eth0", version=2, start_as_master=False, base_priority=100,
    advertisement_interval_cs=100, addresses=(VirtualAddress(address="10.1.1.1", prefix_len=32, interface="eth0"),),
)  # fmt: skip
V3 = replace(V2, version=3)
V6 = replace(
    V3, family=6, multicast_group="ff02::12",
    addresses=(VirtualAddress(address="fe80::51", prefix_len=128, interface="eth0"),),
)  # fmt: skip
_KEY = HmacKey(identifier=1, secret=b"0123456789abcdef")
_HMAC = HmacSettings(keys=(_KEY,), active=1, window_s=10, monotonic=False, mode=HmacMode.PERMISSIVE)
CONFIGS = (
    V2,
    V3,
    V6,
    replace(V2, authentication_data=b"secret\0\0"),
    replace(V2, authentication_data=b"secret\0\0", authentication_header=True),
    replace(V3, hmac=_HMAC),
    replace(V6, hmac=replace(_HMAC, mode=HmacMode.ENFORCE)),
    replace(V3, unicast_peers=(UnicastPeer(address="10.0.0.2", min_ttl=2, max_ttl=3),), check_unicast_source=True),
    replace(V3, addresses=()),
    replace(V2, skip_check_adv_addr=True),
)
"""Every way to speak that there is."""


def packet(data: bytes) -> None:
    """The first byte chooses the configuration, the second how much is well formed already."""
    if len(data) < 2:
        return
    config, rest = CONFIGS[data[0] % len(CONFIGS)], data[2:]
    memory = HmacMemory()
    try:
        received = _received(data[1], rest, config)
        read_vrid(received.payload)
        check_advertisement(received, config, "10.0.0.1" if config.family == 4 else "fe80::1", memory=memory, wall_ns=1)
    except PacketError:
        pass
    seen, malformed = parse_netlink(rest)
    assert malformed >= 0
    assert all(seen)


def _received(how: int, rest: bytes, config: VrrpInstance) -> Received:
    if how % 4 == 0:
        return (parse_ipv6 if config.family == 6 else parse_ipv4)(rest)
    if how % 4 == 1 and config.family == 4:
        head = (
            bytes((0x45, 0xC0)) + (20 + len(rest)).to_bytes(2) + bytes((0, 1, 0, 0, 255, 51 if how & 8 else 112, 0, 0))
        )
        return parse_ipv4(head + bytes((10, 0, 0, 2, 224, 0, 0, 18)) + rest)
    source = "10.0.0.2" if config.family == 4 else "fe80::2"
    return Received(source=source, destination=config.multicast_group, ttl=255, payload=rest)


# ------------------------------------------------------------------------------------------------- the machine


class _Bytes:
    """Small numbers out of bytes; zeros when they are used up."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def take(self, below: int) -> int:
        """A number below `below`."""
        byte = self._data[self._at] if self else 0
        self._at += 1
        return byte % below


_SOURCES = ("10.0.0.1", "10.0.0.2", "10.0.0.3", "")
_PRIORITIES = (0, 1, 99, 100, 101, 254, 255)
_PAUSES_NS = (0, 1, 10_000_000, 700_000_000, 1_000_000_000, 3_609_375_000, 4_000_000_000, 40_000_000_000)
_FAULTS = tuple(FaultCause)


def machine(data: bytes) -> None:
    """A router, alone or seen by a sync group, through events made of the bytes."""
    source = _Bytes(data)
    config = _config(source)
    router, now_ns = VirtualRouter(config), 10_000_000_000
    group = SyncGroup(("a", "b"))
    table: set[VirtualAddress] = set()
    while source:
        now_ns += _PAUSES_NS[source.take(len(_PAUSES_NS))]
        event = _event(source, now_ns)
        was_active = router.router_state is RouterState.MASTER
        effects = router.handle(event, now_ns)
        is_active = router.router_state is RouterState.MASTER
        check_effects(event, effects, was_active=was_active, is_active=is_active)
        for effect in effects:
            if isinstance(effect, InstallAddresses):
                table |= set(effect.addresses)
            elif isinstance(effect, RemoveAddresses):
                table -= set(effect.addresses)
        if isinstance(event, ShutdownWanted) and event.keep_addresses:
            table.clear()
        assert table == (set(router.all_addresses) if is_active else set()) or (router.is_parting and not is_active)
        due_ns = router.next_deadline_ns()
        assert due_ns is None or due_ns > now_ns or not isinstance(event, TimePassed)
        router.snapshot()
        group.see("a", seat_of(router, now_ns))
        group.orders()


def _config(source: _Bytes) -> VrrpInstance:
    names = tuple(f"10.1.1.{last}" for last in range(source.take(4)))
    return replace(
        V3 if source.take(2) else V2,
        start_as_master=source.take(4) == 0,
        base_priority=(1, 100, 254, 255)[source.take(4)],
        preempt_mode=source.take(4) > 0,
        preempt_delay_ns=(0, 0, 2_000_000_000)[source.take(3)],
        higher_prio_send_advert=source.take(2) > 0,
        lower_prio_no_advert=source.take(2) > 0,
        addresses=tuple(VirtualAddress(address=name, prefix_len=32, interface="eth0") for name in names),
        sync_group=("", "", "G")[source.take(3)],
    )


def _event(source: _Bytes, now_ns: int) -> Event:
    kind = source.take(15)
    match kind:
        case 0 | 1:
            return TimePassed()
        case 2 | 3:
            priority = _PRIORITIES[source.take(7)]
            return AdvertisementReceived(source=_SOURCES[source.take(3)], priority=priority, interval_cs=100)
        case 4:
            return _startup(source, now_ns)
        case 5:
            return FaultsChanged(faults=frozenset(_FAULTS[: source.take(3)]))
        case 6:
            return PriorityChanged(adjustment=2 * source.take(256) - 256)
        case 7:
            return SourceAddressChanged(source_address=_SOURCES[source.take(4)])
        case 8:
            return AddressesLost(addresses=(("eth0", "10.1.1.0"), ("eth0", "10.1.1.1"))[: source.take(3)])
        case 9:
            return ConfigurationChanged(config=_config(source))
        case 10:
            return ShutdownWanted(keep_addresses=source.take(4) == 0, patience_ns=source.take(2) * 4_500_000_000)
        case 11:
            until_ns = now_ns + _PAUSES_NS[source.take(8)]
            return StandbyWanted(until_ns=until_ns, patience_ns=source.take(2) * 4_500_000_000)
        case _:
            return (TakebackWanted(), TakeOverTogether(), StepDownTogether(), LowerHeardTogether())[source.take(4)]


def _startup(source: _Bytes, now_ns: int) -> Startup:
    return Startup(
        faults=frozenset(_FAULTS[: source.take(2)]),
        source_address=_SOURCES[source.take(4)],
        restored_active=source.take(2) > 0,
        last_sent_ns=max(0, now_ns - _PAUSES_NS[source.take(8)]),
        restored_backup_of=_SOURCES[source.take(4)],
        restored_master_priority=_PRIORITIES[source.take(7)],
        restored_master_interval_cs=source.take(2) * 100,
        restored_down_at_ns=source.take(2) * now_ns,
        found_addresses=source.take(2) > 0,
    )


# ------------------------------------------------------------------------------------------- configuration


def configuration(data: bytes) -> None:
    """The compiler: diagnostics or a configuration, in bounded time."""
    text = data.decode("utf-8", "surrogateescape")
    begin = time.process_time()
    result = compile_text(text, "t.conf", CompileOptions(config_id="node1", interfaces=frozenset({"eth0"})))
    failed = any(one.severity is Severity.ERROR for one in result.diagnostics)
    assert (result.configuration is None) is failed
    render(result.diagnostics, True, result.files)
    to_json(result.diagnostics)
    if result.configuration is not None:
        encode_documents(result.configuration)
    took_s = time.process_time() - begin
    assert took_s < LONGEST_S, f"{took_s:.1f} s for {len(data)} bytes"


TARGETS = {"packet": packet, "machine": machine, "configuration": configuration, "response": response}
