"""What belongs to the data plane as a whole, and tunnels: from text to the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyhad.common.config.model import (
    FlushAtStop,
    Forwarding,
    IpvsTimeouts,
    Marking,
    SyncDaemon,
    Tunnel,
    TunnelChecksum,
    TunnelType,
)

Compile = Callable[..., Any]


def ipvs(compiled: Compile, *lines: str) -> Any:
    result = compiled("global_defs {\n" + "".join(f" {line}\n" for line in lines) + "}\n")
    assert result.errors == []
    return result.result.configuration.ipvs


def tunnelled(compiled: Compile, method: str, server: str = "") -> Any:
    inside = f" real_server 10.0.0.1 80 {{\n {server}\n }}\n"
    return compiled(f"virtual_server 192.0.2.1 80 {{\n protocol TCP\n lb_algo rr\n {method}\n{inside}}}\n")


@pytest.mark.behaviour("LVS-2")
def test_timeouts_that_are_not_named_are_left_to_the_kernel(compiled: Compile) -> None:
    assert ipvs(compiled).timeouts == IpvsTimeouts()
    assert ipvs(compiled, "lvs_timeouts udp 250 tcp 1000").timeouts == IpvsTimeouts(tcp_s=1000, udp_s=250)
    assert ipvs(compiled, "lvs_timeouts tcpfin 9").timeouts == IpvsTimeouts(tcp_fin_s=9)


@pytest.mark.behaviour("LVS-12")
def test_a_sync_daemon_without_an_instance_runs_in_both_roles(compiled: Compile) -> None:
    assert ipvs(compiled).sync is None
    assert ipvs(compiled, "lvs_sync_daemon eth0").sync == SyncDaemon(interface="eth0")
    assert ipvs(compiled, "lvs_sync_daemon eth0 id 7 maxlen 1400 port 8849 ttl 3 group 224.0.0.88").sync == SyncDaemon(
        interface="eth0", sync_id=7, max_len=1400, port=8849, ttl=3, group="224.0.0.88"
    )


INSTANCE = "vrrp_instance {} {{\n interface eth0\n virtual_router_id {}\n virtual_ipaddress {{ 10.9.0.{} }}\n{}}}\n"


@pytest.mark.behaviour("LVS-12")
def test_a_sync_daemon_that_follows_an_instance_has_its_id_and_vrrp_is_asked_to_tell(compiled: Compile) -> None:
    def following(words: str) -> Any:
        instance = INSTANCE.format("VI_1", 51, 1, "")
        return compiled(f"{instance}global_defs {{\n lvs_sync_daemon eth1 {words}\n}}\n").result.configuration

    documents = following("inst VI_1")
    assert documents.ipvs.sync == SyncDaemon(interface="eth1", sync_id=51, instance="VI_1")
    assert documents.vrrp.sync_instance == "VI_1"
    assert documents.parent.checker  # the IPVS owner is needed, services or not
    documents = following("VI_1 9")  # the old form
    assert documents.ipvs.sync == SyncDaemon(interface="eth1", sync_id=9, instance="VI_1")


@pytest.mark.behaviour("LVS-12")
def test_a_sync_daemon_that_follows_nobody_known_is_an_error(compiled: Compile) -> None:
    result = compiled(INSTANCE.format("VI_1", 51, 1, "") + "global_defs {\n lvs_sync_daemon eth0 inst VI_2\n}\n")
    assert "lvs_sync_daemon follows vrrp_instance 'VI_2', which is not defined" in result.errors


def test_the_word_of_an_instance_counts_where_the_global_one_is_missing(compiled: Compile) -> None:
    own = " lvs_sync_daemon_interface eth2\n"
    text = INSTANCE.format("VI_1", 51, 1, own) + INSTANCE.format("VI_2", 52, 2, own)
    result = compiled(text)
    assert result.result.configuration.ipvs.sync == SyncDaemon(interface="eth2", sync_id=0, instance="VI_1")
    assert "lvs_sync_daemon_interface is ignored: the sync daemon follows 'VI_1' already" in result.warnings
    documents = compiled(text + "global_defs {\n lvs_sync_daemon eth1\n}\n").result.configuration
    assert documents.ipvs.sync == SyncDaemon(interface="eth1")


def test_the_table_is_left_entry_by_entry_unless_told_otherwise(compiled: Compile) -> None:
    assert ipvs(compiled).flush_at_stop is FlushAtStop.ENTRIES
    assert ipvs(compiled, "lvs_flush_on_stop").flush_at_stop is FlushAtStop.ALL
    assert ipvs(compiled, "lvs_flush_on_stop VS").flush_at_stop is FlushAtStop.SERVICES
    assert ipvs(compiled, "lvs_flush_onstop").flush_at_stop is FlushAtStop.ALL


@pytest.mark.behaviour("LVS-7")
@pytest.mark.parametrize(
    ("words", "tunnel"),
    [
        ("", Tunnel()),
        ("type ipip", Tunnel()),
        ("type gue port 6080", Tunnel(type=TunnelType.GUE, port=6080)),
        ("type gue port 6080 remcsum", Tunnel(type=TunnelType.GUE, port=6080, checksum=TunnelChecksum.REMOTE)),
        ("type gre csum", Tunnel(type=TunnelType.GRE, checksum=TunnelChecksum.FULL)),
    ],
)
def test_a_tunnel_has_its_type_port_and_checksum(compiled: Compile, words: str, tunnel: Tunnel) -> None:
    [service] = tunnelled(compiled, f"lb_kind TUN {words}").result.configuration.ipvs.services
    assert (service.servers[0].forwarding, service.servers[0].tunnel) == (Forwarding.TUNNEL, tunnel)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("type gue", "a gue tunnel needs a port"),
        ("type gre port 6080", "a tunnel of type gre has no port"),
        ("type gre remcsum", "remcsum is for gue only, not for gre"),
        ("csum", "an ipip tunnel has no checksum"),
    ],
)
def test_an_option_that_does_not_go_with_the_type_is_an_error(compiled: Compile, words: str, problem: str) -> None:
    assert tunnelled(compiled, f"lb_kind TUN {words}").errors == [problem]


def test_a_server_has_the_tunnel_of_its_own_method(compiled: Compile) -> None:
    result = tunnelled(compiled, "lb_kind TUN type gre", "lvs_method TUN type gue port 7")
    assert result.result.configuration.ipvs.services[0].servers[0].tunnel == Tunnel(type=TunnelType.GUE, port=7)
    result = tunnelled(compiled, "lb_kind TUN type gre", "lvs_method NAT")
    assert result.result.configuration.ipvs.services[0].servers[0].tunnel == Tunnel()
    result = tunnelled(compiled, "lb_kind NAT type gre")
    assert result.warnings == ["tunnel options are ignored: lb_kind NAT has no tunnel"]


@pytest.mark.behaviour("LVS-22")
def test_groups_of_addresses_are_marked_where_nftables_ipvs_stands(compiled: Compile) -> None:
    groups = "virtual_server_group A {\n 10.0.0.1-2 80\n}\nvirtual_server_group B {\n 10.0.0.3 80\n fwmark 7\n}\n"
    real = " lb_algo rr\n lb_kind NAT\n protocol TCP\n real_server 10.1.0.1 80 {\n }\n}\n"
    services = "".join(f"virtual_server {head} {{\n{real}" for head in ("group A", "group B", "10.0.0.9 80"))
    words = "global_defs {{\n {}\n}}\n"

    def marked(*lines: str) -> dict[str, bool]:
        documents = compiled(words.format("\n".join(lines)) + groups + services).result.configuration
        assert documents is not None
        return {service.id: service.marked for service in documents.ipvs.services if service.marked}

    assert marked("router_id r") == {}
    assert marked("nftables_ipvs") == {"group:A/tcp": True}
    assert marked("nftables_ipvs", "pyhad_data_plane nftables") == {}


@pytest.mark.behaviour("LVS-22")
def test_the_words_of_the_marking_are_read(compiled: Compile) -> None:
    assert ipvs(compiled).marking is None
    assert ipvs(compiled, "nftables_ipvs").marking == Marking(table="keepalived_ipvs", priority=-1, first_mark=1000)
    words = ("nftables_ipvs t", "nftables_ipvs_priority -5", "nftables_ipvs_start_fwmark 2000", "nftables_counters")
    assert ipvs(compiled, *words).marking == Marking(table="t", priority=-5, first_mark=2000, counters=True)


def test_a_word_of_the_marking_without_the_first_is_ignored_with_a_warning(compiled: Compile) -> None:
    result = compiled("global_defs {\n nftables_ipvs_priority -5\n}\n")
    assert any("nftables_ipvs_priority is ignored" in warning for warning in result.warnings)


@pytest.mark.parametrize("line", ["lvs_timeouts tcp 900", "lvs_sync_daemon eth0"])
def test_what_belongs_to_ipvs_alone_is_an_error_where_nftables_was_asked_for(compiled: Compile, line: str) -> None:
    def errors(plane: str) -> list[str]:
        return list(compiled(f"global_defs {{\n pyhad_data_plane {plane}\n {line}\n}}\n").errors)

    name = line.split()[0]
    assert errors("nftables") == [
        f"{name} needs IPVS: the nftables data plane has neither timeouts nor sync daemons of its own"
    ]
    assert errors("auto") == errors("ipvs") == []
