"""What a reload would write to the kernel, line by line."""

from __future__ import annotations

import pytest

from pyhad.common.config.compile import CompileOptions, compile_text
from pyhad.common.states import RouterState
from pyhad.ctl.in_force import Documents, of
from pyhad.ctl.plan import plan, render, to_document
from pyhad.ctl.plan_writes import kernel_writes

ONE = """vrrp_instance A {
    interface eth0
    virtual_router_id 51
    virtual_ipaddress {
        192.0.2.100/24
        192.0.2.101/24
    }
}
"""
SERVICE = """virtual_server 192.0.2.100 80 {
    lb_algo rr
    lb_kind NAT
    protocol TCP
    real_server 10.0.0.1 80 {
    }
    real_server 10.0.0.2 80 {
    }
}
"""
MASTER, BACKUP = {"A": RouterState.MASTER}, {"A": RouterState.BACKUP}


def documents(text: str) -> Documents:
    result = compile_text(text, "t.conf", CompileOptions(config_id="n"))
    assert result.configuration is not None, result.diagnostics
    return of(result.configuration)


def writes(old: str, new: str, states: dict[str, RouterState] | None = None) -> list[str]:
    return list(kernel_writes(documents(old), documents(new), states or {}))


def test_the_same_configuration_writes_nothing() -> None:
    assert writes(ONE + SERVICE, ONE + SERVICE, MASTER) == []


def test_a_master_takes_addresses_off_before_it_puts_others_on() -> None:
    assert writes(ONE, ONE.replace("2.101", "2.102"), MASTER) == [
        "vrrp: advertise A with its new settings",
        "vrrp: remove 192.0.2.101/24 dev eth0 (A)",
        "vrrp: add 192.0.2.102/24 dev eth0 (A)",
    ]


def test_a_backup_writes_nothing_and_a_new_router_begins_as_backup() -> None:
    assert writes(ONE, ONE.replace("2.101", "2.102"), BACKUP) == []
    assert writes(SERVICE, ONE + SERVICE) == []


def test_a_master_that_is_gone_keeps_its_addresses_until_somebody_else_has_them() -> None:
    expected = [
        "vrrp: advertise priority 0 for A",
        "vrrp: remove 192.0.2.100/24 dev eth0 when a successor is heard (A)",
        "vrrp: remove 192.0.2.101/24 dev eth0 when a successor is heard (A)",
    ]
    assert writes(ONE + SERVICE, SERVICE, MASTER) == expected
    assert writes(ONE + SERVICE, SERVICE) == expected  # its state is not known
    assert writes(ONE + SERVICE, SERVICE, BACKUP) == []


LED = """vrrp_instance A {
    interface eth0
    virtual_router_id 51
    use_vmac
    virtual_ipaddress {
        192.0.2.100/24
    }
    virtual_routes {
        10.1.0.0/16 via 192.0.2.9 dev eth0
        10.2.0.0/16 via 192.0.2.9 dev eth0
    }
    virtual_rules {
        from 192.0.2.100 table 7 preference 9
    }
}
"""


@pytest.mark.behaviour("NET-2")
def test_routes_and_rules_come_after_addresses_and_go_before_them_the_last_first() -> None:
    new = (
        LED.replace("2.100/24", "2.101/24")
        .replace("10.1.", "10.3.")
        .replace("10.2.", "10.4.")
        .replace("table 7", "table 8")
    )
    assert writes(LED, new, MASTER) == [
        "vrrp: advertise A with its new settings",
        "vrrp: remove rule from 192.0.2.100 table 7 preference 9 (A)",
        "vrrp: remove route 10.2.0.0/16 via 192.0.2.9 dev eth0 (A)",
        "vrrp: remove route 10.1.0.0/16 via 192.0.2.9 dev eth0 (A)",
        "vrrp: remove 192.0.2.100/24 dev vrrp.51 (A)",
        "vrrp: add 192.0.2.101/24 dev vrrp.51 (A)",
        "vrrp: add route 10.3.0.0/16 via 192.0.2.9 dev eth0 (A)",
        "vrrp: add route 10.4.0.0/16 via 192.0.2.9 dev eth0 (A)",
        "vrrp: add rule from 192.0.2.100 table 8 preference 9 (A)",
    ]
    assert writes(LED, new, BACKUP) == []


def test_a_link_is_made_before_what_stands_on_it_and_goes_after_it() -> None:
    plain = LED.replace("use_vmac", "")
    assert writes(plain, LED, MASTER) == [
        "vrrp: make macvlan vrrp.51 on eth0 with MAC 00:00:5e:00:01:33",
        "vrrp: write the nftables table keepalived",
        "vrrp: advertise A with its new settings",
        "vrrp: remove 192.0.2.100/24 dev eth0 (A)",
        "vrrp: add 192.0.2.100/24 dev vrrp.51 (A)",
    ]
    assert writes(LED, plain, BACKUP) == [
        "vrrp: write the nftables table keepalived",
        "vrrp: remove macvlan vrrp.51 on eth0 with MAC 00:00:5e:00:01:33",
    ]
    assert writes(LED, LED.replace("use_vmac", "use_vmac 02:00:00:00:00:07"), BACKUP) == [
        "vrrp: give vrrp.51 the MAC 02:00:00:00:00:07",
    ]
    assert writes(LED, LED.replace("use_vmac", "use_ipvlan vrrp.51"), BACKUP) == [
        "vrrp: remove macvlan vrrp.51 on eth0 with MAC 00:00:5e:00:01:33",
        "vrrp: make ipvlan vrrp.51 on eth0",
    ]


def test_static_items_are_written_whoever_is_master() -> None:
    static = "static_routes {\n 10.5.0.0/16 via 192.0.2.9 dev eth0\n}\n"
    assert writes(ONE, ONE + static, BACKUP) == ["vrrp: add route 10.5.0.0/16 via 192.0.2.9 dev eth0 (static)"]
    assert writes(ONE + static, ONE, BACKUP) == ["vrrp: remove route 10.5.0.0/16 via 192.0.2.9 dev eth0 (static)"]


def test_servers_that_come_are_written_before_those_that_go() -> None:
    new = (
        SERVICE.replace("rr", "wrr")
        .replace("10.0.0.1 80 {", "10.0.0.3 80 {")
        .replace("10.0.0.2 80 {", "10.0.0.2 80 {\n weight 5")
    )
    assert writes(SERVICE, new) == [
        "ipvs: change service 192.0.2.100:80/tcp scheduler wrr",
        "ipvs: add 10.0.0.3:80 to 192.0.2.100:80/tcp weight 1 NAT",
        "ipvs: change 10.0.0.2:80 of 192.0.2.100:80/tcp to weight 5 NAT",
        "ipvs: remove 10.0.0.1:80 from 192.0.2.100:80/tcp",
    ]


def test_a_service_that_goes_goes_after_the_others_have_come() -> None:
    assert writes(SERVICE, SERVICE.replace("2.100 80", "2.100 81"))[-3:] == [
        "ipvs: remove 10.0.0.1:80 from 192.0.2.100:80/tcp",
        "ipvs: remove 10.0.0.2:80 from 192.0.2.100:80/tcp",
        "ipvs: remove service 192.0.2.100:80/tcp",
    ]


GROUP = """virtual_server_group G {
    10.0.0.1-2 80
}
virtual_server group G {
    lb_algo rr
    lb_kind NAT
    protocol TCP
    real_server 10.1.0.1 80 {
    }
}
"""
MARKING = "global_defs {\n nftables_ipvs t\n}\n"


def test_an_address_of_a_group_is_served_before_another_is_no_more() -> None:
    assert writes(GROUP, GROUP.replace("1-2", "2-3")) == [
        "ipvs: serve group:G/tcp at 10.0.0.3 port 80",
        "ipvs: serve group:G/tcp at 10.0.0.1 port 80 no more",
    ]


def test_a_group_that_gets_a_mark_is_served_there_before_packets_are_marked() -> None:
    addresses = ("10.0.0.1 port 80", "10.0.0.2 port 80")
    assert writes(GROUP, MARKING + GROUP) == [
        "ipvs: serve group:G/tcp at its mark",
        "ipvs: write the nftables table t",
        *(f"ipvs: serve group:G/tcp at {address} no more" for address in addresses),
    ]
    assert writes(MARKING + GROUP, GROUP) == [
        *(f"ipvs: serve group:G/tcp at {address}" for address in addresses),
        "ipvs: write the nftables table t",
        "ipvs: serve group:G/tcp at its mark no more",
    ]
    assert writes(MARKING + GROUP, MARKING + GROUP.replace("1-2", "1-3")) == ["ipvs: write the nftables table t"]


def test_what_waits_for_a_check_says_so() -> None:
    alpha = SERVICE.replace("protocol TCP", "protocol TCP\n alpha").replace("80 {\n    }", "80 {\n TCP_CHECK {\n }\n }")
    added = writes(ONE, ONE + alpha)
    assert added[1] == "ipvs: add 10.0.0.1:80 to 192.0.2.100:80/tcp weight 1 NAT when its first check succeeds"


def test_a_plan_shows_them_to_people_and_programs() -> None:
    old, new = documents(ONE), documents(ONE.replace("2.101", "2.102"))
    changes, lines = plan(old, new, MASTER), kernel_writes(old, new, MASTER)
    text = render(changes, lines)
    assert "Written to the kernel, in this order:\n    vrrp: advertise A with its new settings\n" in text
    assert to_document(changes, lines)["kernel_writes"][1] == "vrrp: remove 192.0.2.101/24 dev eth0 (A)"
