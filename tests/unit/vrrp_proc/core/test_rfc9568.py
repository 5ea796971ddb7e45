"""The requirements of RFC 9568, one test each; docs/rfc9568.md is the ledger that names them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyhad.common.config.model import VirtualAddress, VrrpInstance
from pyhad.common.states import RouterState
from pyhad.vrrp_proc.core import packet, packet6
from pyhad.vrrp_proc.core.events import ShutdownWanted
from pyhad.vrrp_proc.core.packet import Received
from pyhad.vrrp_proc.core.refusals import AdvertisementRefused
from pyhad.vrrp_proc.core.states import Backup
from pyhad.vrrp_proc.core.timers import active_down_interval_ns, skew_time_ns

Make = Callable[..., VrrpInstance]
SECOND_NS = 1_000_000_000
V3 = {"version": 3, "advertisement_interval_cs": 100}


def _address(text: str) -> VirtualAddress:
    return VirtualAddress(address=text, prefix_len=32, interface="eth0")


def six(make_config: Make, **changes: Any) -> VrrpInstance:
    addresses = (_address("fe80::100"), _address("fd00::100"))
    return make_config(family=6, multicast_group="ff02::12", addresses=addresses, **V3, **changes)


def judged(config: VrrpInstance, message: bytes, **changes: Any) -> str:
    """ "" when accepted, else the counter."""
    source, group = ("fe80::2", "ff02::12") if config.family == 6 else ("10.0.0.1", "224.0.0.18")
    facts: dict[str, Any] = {"source": source, "destination": group, "ttl": 255, "payload": message, **changes}
    try:
        packet.check_advertisement(Received(**facts), config, "fe80::9" if config.family == 6 else "10.0.0.2")
    except AdvertisementRefused as refused:
        return refused.counter
    return ""


def message_of(config: VrrpInstance, **changes: Any) -> bytes:
    source = "fe80::2" if config.family == 6 else "10.0.0.1"
    return packet.build_advertisement(config, source=source, priority=100, **changes)


def resummed(message: bytes) -> bytes:
    """With the checksum of RFC 9568 5.2.8 for IPv4."""
    bare = message[:6] + b"\0\0" + message[8:]
    return bare[:6] + packet.internet_checksum(bare).to_bytes(2, "big") + bare[8:]


# --------------------------------------------------------------------------------------------- the packet


@pytest.mark.rfc("9568-5.1.1.3a")
def test_the_ttl_is_255() -> None:
    assert packet.build_ipv4(b"", source="10.0.0.1", destination="224.0.0.18", identification=1)[8] == 255


@pytest.mark.rfc("9568-5.1.1.3b")
def test_another_ttl_is_dropped(make_config: Make) -> None:
    config = make_config(**V3)
    assert [judged(config, message_of(config), ttl=ttl) for ttl in (255, 254, 0)] == ["", "ip_ttl_err", "ip_ttl_err"]


@pytest.mark.rfc("9568-5.1.2.3a")
def test_the_hop_limit_is_255() -> None:
    assert packet6.build_ipv6(b"", source="fe80::1", destination="ff02::12")[7] == 255


@pytest.mark.rfc("9568-5.1.2.3b")
def test_another_hop_limit_is_dropped(make_config: Make) -> None:
    config = six(make_config)
    assert [judged(config, message_of(config), ttl=ttl) for ttl in (255, 254)] == ["", "ip_ttl_err"]


@pytest.mark.rfc("9568-5.2.2")
@pytest.mark.rfc("9568-7.1b")
def test_an_unknown_type_is_dropped(make_config: Make) -> None:
    config = make_config(**V3)
    assert judged(config, resummed(b"\x32" + message_of(config)[1:])) == "invalid_type_rcvd"
    assert judged(config, resummed(message_of(config))) == ""


@pytest.mark.rfc("9568-5.2.5")
def test_an_advertisement_without_addresses_is_ignored(make_config: Make) -> None:
    config = make_config(**V3)
    empty = message_of(make_config(addresses=(), **V3))
    assert judged(config, empty) == "addr_list_err"
    assert judged(make_config(addresses=(), **V3), empty) == "", "no_virtual_ipaddress on both sides"


@pytest.mark.rfc("9568-5.2.6a")
def test_the_reserved_bits_are_sent_as_zero(make_config: Make) -> None:
    assert message_of(make_config(version=3, advertisement_interval_cs=4095))[4] >> 4 == 0


@pytest.mark.rfc("9568-5.2.8a")
@pytest.mark.rfc("9568-7.1d")
def test_a_wrong_checksum_is_dropped(make_config: Make) -> None:
    for config in (make_config(**V3), six(make_config)):
        message = message_of(config)
        assert judged(config, message) == ""
        assert judged(config, message[:6] + bytes((message[6] ^ 1,)) + message[7:]) == "checksum_err"


@pytest.mark.rfc("9568-5.2.8b")
def test_the_checksum_of_ipv4_covers_the_message_alone_when_asked_and_is_always_understood(make_config: Make) -> None:
    plain = make_config(checksum_pseudo_header=False, **V3)
    message = message_of(plain)
    assert packet.internet_checksum(message) == 0
    assert judged(plain, message) == judged(make_config(**V3), message) == ""


@pytest.mark.rfc("9568-5.2.8c")
def test_the_checksum_of_ipv6_covers_the_pseudo_header(make_config: Make) -> None:
    config = six(make_config)
    pseudo = bytes.fromhex("fe80" + "00" * 13 + "02" + "ff02" + "00" * 13 + "12" + "00000028" + "00000070")
    assert packet.internet_checksum(pseudo + message_of(config)) == 0
    assert judged(config, resummed(message_of(config))) == "checksum_err"


@pytest.mark.rfc("9568-7.1a")
def test_another_version_is_dropped(make_config: Make) -> None:
    config = make_config(**V3)
    assert judged(config, resummed(b"\x41" + message_of(config)[1:])) == "version_err"


@pytest.mark.rfc("9568-7.1c")
def test_an_incomplete_packet_is_dropped(make_config: Make) -> None:
    for config in (make_config(**V3), six(make_config)):
        message = message_of(config)
        assert {judged(config, message[:length]) for length in range(len(message))} == {"packet_len_err"}


@pytest.mark.rfc("9568-7.1e")
def test_an_interval_of_zero_is_dropped(make_config: Make) -> None:
    config = make_config(**V3)
    message = message_of(config)
    assert judged(config, resummed(message[:4] + b"\0\0" + message[6:])) == "advert_interval_err"


@pytest.mark.rfc("9568-7.2a")
def test_the_fields_say_what_is_configured(make_config: Make) -> None:
    config = make_config(version=3, vrid=7, advertisement_interval_cs=250)
    head = packet.build_advertisement(config, source="10.0.0.1", priority=123)[:6]
    assert head == bytes((0x31, 7, 123, 1, 0, 250))


@pytest.mark.rfc("9568-7.2b")
def test_the_protocol_is_112_and_the_destination_the_group() -> None:
    four = packet.build_ipv4(b"", source="10.0.0.1", destination="224.0.0.18", identification=1)
    assert (four[9], four[16:20].hex()) == (112, "e0000012")
    assert packet6.build_ipv6(b"", source="fe80::1", destination="ff02::12")[6] == 112


# ---------------------------------------------------------------------------------------------- intervals


@pytest.mark.rfc("9568-6.1a")
def test_skew_and_down_interval_are_those_of_section_6_1() -> None:
    assert skew_time_ns(3, 100, 50) == 156 * 500_000_000 // 256
    assert active_down_interval_ns(3, 100, 50, 3) == 3 * 500_000_000 + 156 * 500_000_000 // 256


# --------------------------------------------------------------------------------------- the state machine


@pytest.mark.rfc("9568-6.4.1a")
def test_an_owner_becomes_active_at_once(bench: Callable[..., Any]) -> None:
    one = bench(base_priority=255, start_as_master=True, **V3)
    words = one.start()
    assert words[0] == "adv 255"
    assert one.router.router_state is RouterState.MASTER


@pytest.mark.rfc("9568-6.4.1b")
def test_anybody_else_becomes_backup_and_waits_the_down_interval(bench: Callable[..., Any]) -> None:
    one = bench(**V3)
    one.start()
    assert one.router.router_state is RouterState.BACKUP
    assert one.router.next_deadline_ns() == active_down_interval_ns(3, 100, 100, 3)


@pytest.mark.rfc("9568-6.4.2a")
def test_a_backup_holds_no_address(bench: Callable[..., Any]) -> None:
    words = bench(**V3).start()
    assert "remove 10.1.1.1" in words
    assert not any(word.startswith(("install", "announce")) for word in words)


@pytest.mark.rfc("9568-6.4.2b")
def test_a_backup_that_stops_says_nothing(bench: Callable[..., Any]) -> None:
    one = bench(**V3)
    one.start()
    assert not any(word.startswith("adv") for word in one.at(1, ShutdownWanted()))
    assert (one.router.router_state, one.router.next_deadline_ns()) == (RouterState.INIT, None)


@pytest.mark.rfc("9568-8.1.2")
@pytest.mark.rfc("9568-6.4.2c")
def test_when_the_timer_fires_it_advertises_announces_and_is_active(bench: Callable[..., Any]) -> None:
    one = bench(**V3)
    one.start()
    now_ns = one.router.next_deadline_ns()
    words = one.pass_time(now_ns)
    assert words[0] == "adv 100"
    assert words.index("install 10.1.1.1") < words.index("announce x5 10.1.1.1")
    assert one.router.router_state is RouterState.MASTER
    assert one.router.next_deadline_ns() == now_ns + SECOND_NS


@pytest.mark.rfc("9568-6.4.2d")
def test_priority_zero_shortens_the_wait_to_the_skew_time(bench: Callable[..., Any]) -> None:
    one = bench(**V3)
    one.start()
    one.hear(SECOND_NS, 0)
    assert one.router.next_deadline_ns() == SECOND_NS + skew_time_ns(3, 100, 100)


@pytest.mark.rfc("9568-6.4.2e")
@pytest.mark.parametrize(("preempt", "priority", "restarts"), [(True, 100, True), (True, 101, True), (False, 1, True)])
def test_the_interval_of_the_active_router_is_used(
    bench: Callable[..., Any], preempt: bool, priority: int, restarts: bool
) -> None:
    one = bench(preempt_mode=preempt, **V3)
    one.start()
    one.hear(SECOND_NS, priority, interval_cs=200)
    assert isinstance(one.router.state, Backup)
    assert one.router.state.active_adver_interval_cs == 200
    assert one.router.next_deadline_ns() == SECOND_NS + active_down_interval_ns(3, 100, 200, 3)


@pytest.mark.rfc("9568-6.4.2f")
def test_a_lower_priority_does_not_restart_the_timer(bench: Callable[..., Any]) -> None:
    one = bench(**V3)
    one.start()
    before_ns = one.router.next_deadline_ns()
    one.hear(SECOND_NS, 99)
    assert one.router.next_deadline_ns() == before_ns


@pytest.mark.rfc("9568-6.4.3a")
def test_an_active_router_that_stops_sends_priority_zero(bench: Callable[..., Any]) -> None:
    one = bench(**V3)
    now_ns = one.become_active()
    assert "adv 0" in one.at(now_ns + 1, ShutdownWanted())


@pytest.mark.rfc("9568-6.4.3b")
def test_it_advertises_every_interval(bench: Callable[..., Any]) -> None:
    one = bench(**V3)
    now_ns = one.become_active()
    assert one.pass_time(now_ns + SECOND_NS - 1) == []
    assert one.pass_time(now_ns + SECOND_NS) == ["adv 100"]
    assert one.pass_time(now_ns + 2 * SECOND_NS - 1) == []
    assert one.pass_time(now_ns + 2 * SECOND_NS) == ["adv 100"]


@pytest.mark.rfc("9568-6.4.3c")
def test_it_answers_priority_zero_with_an_advertisement(bench: Callable[..., Any]) -> None:
    one = bench(**V3)
    now_ns = one.become_active()
    assert one.hear(now_ns + 1, 0)[0] == "adv 100"


@pytest.mark.rfc("9568-6.4.3d")
@pytest.mark.parametrize(
    ("priority", "source", "state"),
    [
        (101, "10.0.0.1", RouterState.BACKUP),
        (100, "10.0.0.10", RouterState.BACKUP),
        (100, "10.0.0.1", RouterState.MASTER),
        (99, "10.0.0.10", RouterState.MASTER),
    ],
)
def test_it_gives_way_to_the_higher_priority_and_then_to_the_greater_address(
    bench: Callable[..., Any], priority: int, source: str, state: RouterState
) -> None:
    one = bench(**V3)
    now_ns = one.become_active()
    one.hear(now_ns + 1, priority, source=source, interval_cs=200)
    assert one.router.router_state is state
    if state is RouterState.BACKUP:
        assert one.router.state.active_adver_interval_cs == 200
        assert one.router.state.active_down_at_ns == now_ns + 1 + active_down_interval_ns(3, 100, 200, 3)


@pytest.mark.rfc("9568-6.4.3e")
def test_it_asserts_itself_against_a_lower_one_at_once(bench: Callable[..., Any]) -> None:
    one = bench(**V3)
    now_ns = one.become_active()
    assert one.hear(now_ns + 1, 99)[0] == "adv 100"


@pytest.mark.rfc("9568-8.2.2")
def test_a_neighbour_advertisement_is_unsolicited_and_overrides() -> None:
    frame = packet6.build_neighbour_advertisement(bytes(6), "fd00::1", is_router=True)
    flags = int.from_bytes(frame[58:62], "big")
    assert (frame[54], flags >> 31, flags >> 30 & 1, flags >> 29 & 1) == (136, 1, 0, 1)
