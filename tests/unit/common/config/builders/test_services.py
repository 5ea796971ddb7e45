"""`virtual_server` to the model: defaults, fix-ups FIX-50 to FIX-62, quorum, the limits of nftables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyhad.common.config.model import DataPlane, Forwarding, Listener, Protocol, RealServer, SorryServer, VirtualServer

Compile = Callable[..., Any]


def built(compiled: Any) -> VirtualServer:
    assert compiled.errors == []
    [one] = compiled.result.configuration.ipvs.services
    return one


def test_a_plain_service(service: Compile) -> None:
    assert built(service()) == VirtualServer(
        id="192.0.2.100:80/tcp",
        listeners=(Listener(protocol=Protocol.TCP, family=4, address="192.0.2.100", port=80),),
        scheduler="rr",
        servers=(
            RealServer(
                id="10.0.0.1:8080", address="10.0.0.1", port=8080, weight=1, forwarding=Forwarding.NAT, is_checked=False
            ),
        ),
        source="t.conf:2",
    )


@pytest.mark.behaviour("FIX-50")
def test_a_service_without_servers_is_left_out(compiled: Compile) -> None:
    result = compiled("virtual_server 192.0.2.1 80 {\n protocol TCP\n}\n")
    assert result.result.configuration.ipvs.services == ()
    assert result.warnings == ["'virtual_server 192.0.2.1 80' is left out: it has no real_server"]


@pytest.mark.behaviour("FIX-51", "FIX-53", "LVS-3")
def test_what_is_not_said_has_keepalived_s_defaults_and_a_warning(compiled: Compile) -> None:
    result = compiled("virtual_server 192.0.2.1 80 {\n real_server 10.0.0.1 80 { }\n}\n")
    one = built(result)
    assert (one.id, one.scheduler, one.servers[0].forwarding) == ("192.0.2.1:80/udp", "wlc", Forwarding.NAT)
    assert result.warnings == [
        "'virtual_server 192.0.2.1 80' has no protocol: UDP is used",
        "'virtual_server 192.0.2.1 80' has no lb_kind: NAT is used",
        "'virtual_server 192.0.2.1 80' has no lb_algo: wlc is used",
    ]


@pytest.mark.behaviour("FIX-52", "LVS-3")
@pytest.mark.parametrize(
    ("words", "server", "identity", "family"),
    [
        ("", "10.0.0.1", "fwmark:9/inet", 4),
        ("", "fd00::1", "fwmark:9/inet6", 6),
        ("ip_family inet6", "fd00::1", "fwmark:9/inet6", 6),
    ],
)
def test_a_mark_has_no_protocol_and_the_family_of_its_servers(
    compiled: Compile, words: str, server: str, identity: str, family: int
) -> None:
    inside = f"protocol TCP\n lb_algo rr\n lb_kind NAT\n {words}\n real_server {server} 80 {{ }}"
    result = compiled(f"virtual_server fwmark 0x9 {{\n{inside}\n}}\n")
    one = built(result)
    assert (one.id, one.listeners) == (identity, (Listener(protocol=Protocol.NONE, family=family, fwmark=9),))
    assert "protocol is ignored: a firewall mark decides" in result.warnings


def test_ipv6_services_stand_in_brackets(compiled: Compile) -> None:
    text = "virtual_server FD00::1 80 {\n protocol TCP\n lb_algo rr\n lb_kind NAT\n real_server fd00::2 80 { }\n}\n"
    one = built(compiled(text))
    assert (one.id, one.servers[0].id) == ("[fd00::1]:80/tcp", "[fd00::2]:80")


@pytest.mark.behaviour("FIX-54", "LVS-9")
def test_ops_needs_udp(service: Compile) -> None:
    assert built(service("ops")).flags == ()
    assert built(service("protocol UDP\nops")).flags == ("ops",)


def test_hash_flags_belong_to_their_scheduler_in_any_order(service: Compile) -> None:
    assert built(service("sh-port\nflag-1\nlb_algo sh")).flags == ("flag-1", "sh-port")
    assert service("sh-port").warnings == ["sh-port is ignored: it belongs to lb_algo sh, not rr"]


@pytest.mark.behaviour("FIX-55", "LVS-4")
def test_port_0_is_persistent(compiled: Compile) -> None:
    text = "virtual_server 192.0.2.1 {\n protocol TCP\n lb_algo rr\n lb_kind NAT\n real_server 10.0.0.1 { }\n}\n"
    assert built(compiled(text)).persistence_timeout_s == 360


@pytest.mark.behaviour("LVS-11")
def test_an_engine_needs_persistence(service: Compile) -> None:
    assert built(service("persistence_engine sip")).persistence_engine == ""
    assert built(service("persistence_engine sip\npersistence_timeout")).persistence_engine == "sip"
    assert built(service("persistence_granularity 255.255.255.0")).persistence_timeout_s == 360


@pytest.mark.behaviour("FIX-56", "LVS-4")
def test_the_same_server_twice_counts_once(service: Compile) -> None:
    result = service("real_server 10.0.0.1 8080 { weight 7 }")
    assert [server.weight for server in built(result).servers] == [7]
    assert result.warnings == ["real_server 10.0.0.1:8080 is ignored: the service has it already"]


@pytest.mark.behaviour("FIX-57", "LVS-4")
def test_without_nat_the_port_is_that_of_the_service(service: Compile) -> None:
    result = service("lb_kind DR")
    assert built(result).servers[0].id == "10.0.0.1:80"
    assert result.warnings == ["real_server: with lb_kind DR the port is that of the service: 80, not 8080"]


@pytest.mark.behaviour("FIX-58", "LVS-4")
def test_with_nat_a_server_without_a_port_has_that_of_the_service(service: Compile) -> None:
    result = service("real_server 10.0.0.2 { }")
    assert {server.id for server in built(result).servers} == {"10.0.0.1:8080", "10.0.0.2:80"}
    assert result.warnings == []


@pytest.mark.behaviour("FIX-59")
def test_quorum_and_hysteresis_are_lowered_to_what_can_be(service: Compile) -> None:
    one = built(service("weight 3\nquorum 5\nhysteresis 9"))
    assert (one.quorum, one.hysteresis) == (3, 2)


def test_a_quorum_that_cannot_be_regained_is_warned_of(service: Compile) -> None:
    assert service("weight 3\nquorum 3").warnings == []
    assert service("weight 3\nquorum 3\nhysteresis 1").warnings == [
        "quorum 3 and hysteresis 1 together are more than all weights, 3: once lost, the quorum is not regained"
    ]


@pytest.mark.behaviour("FIX-60")
def test_a_sorry_server_that_is_a_real_server_inhibits_as_that_one(service: Compile) -> None:
    one = built(service("sorry_server 10.0.0.1 8080", "inhibit_on_failure"))
    assert one.sorry_server == SorryServer(address="10.0.0.1", port=8080, forwarding=Forwarding.NAT, inhibit=True)


def test_a_sorry_server_has_the_service_s_port_and_its_own_method(service: Compile) -> None:
    one = built(service("sorry_server 10.0.0.9\nsorry_server_inhibit\nsorry_server_lvs_method TUN"))
    assert one.sorry_server == SorryServer(address="10.0.0.9", port=80, forwarding=Forwarding.TUNNEL, inhibit=True)


@pytest.mark.behaviour("FIX-61", "LVS-5")
def test_a_server_of_the_other_family_needs_a_tunnel(service: Compile) -> None:
    result = service("real_server fd00::2 80 { }")
    assert [server.id for server in built(result).servers] == ["10.0.0.1:8080"]
    assert result.warnings == ["real_server fd00::2 is left out: the service is IPv4"]
    tunnelled = built(service("real_server fd00::2 80 { lvs_method TUN }"))
    assert [server.id for server in tunnelled.servers] == ["[fd00::2]:80", "10.0.0.1:8080"]


def test_two_services_on_one_address_are_an_error_that_names_both(service: Compile) -> None:
    group = "virtual_server_group G { 192.0.2.100 80 }\n"
    other = "virtual_server group G {\n protocol TCP\n lb_algo rr\n lb_kind NAT\n real_server 10.0.0.5 80 { }\n}\n"
    assert service(before=group + other).errors == [
        "192.0.2.100 port 80 (tcp) is served twice: first by group:G/tcp at t.conf:2"
    ]


def test_a_service_of_an_unknown_group_is_an_error(compiled: Compile) -> None:
    text = "virtual_server group G {\n protocol TCP\n lb_algo rr\n lb_kind NAT\n real_server 10.0.0.5 80 { }\n}\n"
    assert compiled(text).errors == ["virtual_server_group 'G' is not defined"]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("lb_algo lc", "lb_algo lc (only rr, wrr, sh, mh, dh)"),
        ("lb_kind DR", "lb_kind DR"),
        ("persistence_timeout 60\npersistence_engine sip", "persistence_engine sip"),
        ("flag-1", "flag-1"),
        ("sorry_server 10.0.0.9 80\nsorry_server_lvs_method TUN", "lb_kind TUN"),
    ],
)
def test_what_nftables_cannot_do_is_an_error_where_it_is_asked_for(service: Compile, words: str, problem: str) -> None:
    before = "global_defs { pyhad_data_plane nftables }\n"
    assert service(words, before=before).errors == [
        f"service 192.0.2.100:80/tcp: the nftables data plane cannot do {problem}"
    ]
    assert service(words).errors == []


def test_nftables_balances_rr_and_wrr(service: Compile) -> None:
    before = "global_defs { pyhad_data_plane nftables }\n"
    for words in ("", "lb_algo wrr", "protocol UDP"):
        assert service(words, before=before).result.configuration.ipvs.data_plane is DataPlane.NFTABLES


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("example.org 80", "virtual_server: 'example.org' is not an IP address, 'fwmark' or 'group'"),
        ("192.0.2.1 99999", "virtual_server port: '99999' is not a whole number from 0 to 65535"),
        (
            "fwmark x",
            "virtual_server fwmark: 'x' is not a whole number (0x and 0 prefixes allowed) from 0 to 4294967295",
        ),
        ("group", "virtual_server group is missing its name"),
    ],
)
def test_a_bad_head_is_one_error(compiled: Compile, head: str, message: str) -> None:
    assert compiled(f"virtual_server {head} {{\n real_server 10.0.0.1 80 {{ }}\n}}\n").errors == [message]


@pytest.mark.behaviour("CHK-10")
def test_a_service_with_one_address_can_suspend_its_checks(service: Compile) -> None:
    [server] = service("ha_suspend", "TCP_CHECK {\n}").result.configuration.checker.servers
    assert server.suspends_without == "192.0.2.100"
    [server] = service("", "TCP_CHECK {\n}").result.configuration.checker.servers
    assert server.suspends_without == ""


def test_how_servers_come_back_and_how_many_stay(service: Compile) -> None:
    one = built(service("lb_algo wrr\n weight 10\n pyhad_slow_start 30\n pyhad_panic_threshold 50"))
    assert (one.panic_threshold, one.servers[0].slow_start_ns) == (50, 30_000_000_000)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("lb_algo wrr\n pyhad_slow_start 30", "a weight of 1 cannot be less"),
        ("lb_algo rr\n weight 10\n pyhad_slow_start 30", "lb_algo rr looks at no weights"),
    ],
)
def test_a_slow_start_that_can_do_nothing_is_said(service: Compile, words: str, why: str) -> None:
    compiled = service(words)
    assert compiled.warnings == [f"pyhad_slow_start does nothing for real_server 10.0.0.1: {why}"]


def test_a_share_is_no_more_than_all(service: Compile) -> None:
    assert len(service("pyhad_panic_threshold 101").errors) == 1


@pytest.mark.behaviour("FIX-63")
def test_a_firewall_mark_has_no_address_to_wait_for(compiled: Compile) -> None:
    server = "real_server 10.0.0.1 80 {\n TCP_CHECK {\n }\n }"
    result = compiled(f"virtual_server fwmark 3 {{\n lb_algo rr\n lb_kind NAT\n ha_suspend\n {server}\n}}\n")
    assert result.warnings == ["ha_suspend is ignored: it needs a service with one address"]
    assert [one.suspends_without for one in result.result.configuration.checker.servers] == [""]


def test_a_server_may_be_given_by_its_name_which_nobody_looks_up_yet(service: Compile) -> None:
    result = service("real_server Web.Example 80 {\n TCP_CHECK { }\n TCP_CHECK { connect_ip 10.0.0.9 }\n }")
    server = built(result).servers[0]
    assert (server.id, server.address, server.name, server.port) == ("web.example:80", "", "web.example", 80)
    checked = result.result.configuration.checker.servers[0]
    assert (checked.name, checked.family, checked.address) == ("web.example", 4, "")
    assert checked.checks[0].target.address == ""
    assert checked.checks[1].target.address == "10.0.0.9"


@pytest.mark.behaviour("MAIL-2")
@pytest.mark.parametrize(
    ("everywhere", "of_service", "of_server", "mails"),
    [
        ("", "", "", (False, True)),
        ("smtp_alert", "", "", (True, True)),
        ("smtp_alert off", "", "", (False, False)),
        ("smtp_alert\nsmtp_alert_checker off", "", "", (False, False)),
        ("smtp_alert off\nsmtp_alert_checker", "", "", (True, True)),
        ("smtp_alert off", "smtp_alert", "smtp_alert", (True, True)),
        ("", "smtp_alert", "smtp_alert off", (True, False)),
    ],
)
def test_servers_are_mailed_of_and_services_are_not_unless_told(
    compiled: Compile, everywhere: str, of_service: str, of_server: str, mails: tuple[bool, bool]
) -> None:
    inside = f"protocol TCP\nlb_algo rr\nlb_kind NAT\n{of_service}\nreal_server 10.0.0.1 80 {{\n{of_server}\n}}\n"
    result = compiled(f"global_defs {{\n{everywhere}\n}}\nvirtual_server 192.0.2.1 80 {{\n{inside}}}\n")
    [told] = result.result.configuration.checker.told
    assert (told.mails, told.servers[0].mails) == mails


@pytest.mark.behaviour("MAIL-1")
@pytest.mark.parametrize(
    ("words", "is_sent"),
    [
        ("smtp_server 192.0.2.9\nnotification_email { a@b.example }", True),
        ("smtp_server 192.0.2.9", False),
        ("notification_email { a@b.example }", False),
    ],
)
def test_mail_needs_a_server_and_somebody_to_read_it(compiled: Compile, words: str, is_sent: bool) -> None:
    inside = "protocol TCP\nlb_algo rr\nlb_kind NAT\nreal_server 10.0.0.1 80 {\n}\n"
    result = compiled(f"global_defs {{\n{words}\n}}\nvirtual_server 192.0.2.1 80 {{\n{inside}}}\n")
    mail = result.result.configuration.checker.mail
    assert (mail is not None) is is_sent
    if mail is not None:
        assert (mail.port, mail.timeout_ns) == (25, 30_000_000_000)
