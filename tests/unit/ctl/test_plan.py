"""What a reload would do, from two small configurations."""

from __future__ import annotations

import pytest

from pyhad.common.config.compile import CompileOptions, compile_text
from pyhad.common.states import RouterState
from pyhad.ctl.in_force import Documents, of
from pyhad.ctl.plan import Change, plan, render, to_document

INSTANCE = """
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    priority 150
    advert_int 1
    virtual_ipaddress {
        192.0.2.100/24
        192.0.2.101/24
    }
}
"""
SERVICE = """
virtual_server 192.0.2.100 80 {
    lb_algo rr
    lb_kind NAT
    protocol TCP
    real_server 10.0.0.1 80 { TCP_CHECK { connect_timeout 3 } }
    real_server 10.0.0.2 80 { TCP_CHECK { } }
}
"""
BACKUP = {"VI_1": RouterState.BACKUP}
MASTER = {"VI_1": RouterState.MASTER}


def documents(text: str) -> Documents:
    result = compile_text(text, "t.conf", CompileOptions(config_id="n"))
    assert result.configuration is not None, result.diagnostics
    return of(result.configuration)


def changes(old: str, new: str, states: dict[str, RouterState] | None = None) -> tuple[Change, ...]:
    return plan(documents(old), documents(new), states or {})


def test_the_same_file_changes_nothing() -> None:
    assert changes(INSTANCE + SERVICE, "# only a comment\n" + INSTANCE + SERVICE) == ()
    assert render(()) == "Nothing would change.\n"


def test_addresses_come_and_go_one_by_one_without_a_change_of_master() -> None:
    [change] = changes(INSTANCE, INSTANCE.replace("2.101", "2.102"), MASTER)
    assert change.details == ("- 192.0.2.101/24 dev eth0", "+ 192.0.2.102/24 dev eth0")
    assert change.transition == ""


def test_a_lower_priority_of_the_master_may_cost_it_the_mastership() -> None:
    [change] = changes(INSTANCE, INSTANCE.replace("150", "90"), MASTER)
    assert change.details == ("priority: 150 -> 90",)
    assert change.transition == "a peer with a priority above 90 that preempts takes over"


def test_a_lower_priority_of_a_backup_changes_no_state() -> None:
    [change] = changes(INSTANCE, INSTANCE.replace("150", "90"), BACKUP)
    assert change.transition == ""


def test_a_higher_priority_of_a_backup_may_make_it_master() -> None:
    [change] = changes(INSTANCE, INSTANCE.replace("150", "200"), BACKUP)
    assert change.transition == "takes over from a master with a priority below 200"


def test_another_advert_int_in_version_2_is_a_danger() -> None:
    [change] = changes(INSTANCE, INSTANCE.replace("advert_int 1", "advert_int 2"), MASTER)
    assert change.details == ("advert_int: 1 s -> 2 s", "pyhad_vip_lease: 4 -> 7")
    assert "change all nodes together" in change.transition


def test_another_vrid_is_another_router() -> None:
    removed, added = changes(INSTANCE, INSTANCE.replace("51", "52"), MASTER)
    assert (removed.verb, added.verb) == ("removed", "added")
    assert removed.transition.endswith("a peer takes over")
    text = render(changes(INSTANCE, INSTANCE.replace("virtual_router_id 51", "virtual_router_id 52"), MASTER))
    assert text.endswith("\nA change of master is possible for: VI_1.\n")


def test_a_router_that_is_backup_leaves_without_a_change_of_master() -> None:
    [removed] = changes(INSTANCE, SERVICE, BACKUP)[:1]
    assert (removed.verb, removed.transition) == ("removed", "")


def test_servers_services_and_checks_are_told_apart() -> None:
    new = SERVICE.replace("lb_algo rr", "lb_algo wrr").replace("10.0.0.2", "10.0.0.3").replace("timeout 3", "timeout 4")
    found = [(one.verb, one.what, one.name, one.details) for one in changes(SERVICE, new)]
    assert found == [
        ("changed", "service", "192.0.2.100:80/tcp", ("scheduler: rr -> wrr",)),
        ("removed", "server", "192.0.2.100:80/tcp 10.0.0.2:80", ()),
        ("added", "server", "192.0.2.100:80/tcp 10.0.0.3:80", ("weight 1, NAT",)),
        (
            "changed",
            "checks",
            "192.0.2.100:80/tcp 10.0.0.1:80",
            ("TCP -> TCP", "connect timeout: 3 s -> 4 s"),
        ),
    ]


TRACKED = """
vrrp_script chk {
    script /bin/true
    interval 2
}
vrrp_script other {
    script /bin/false
    weight -5
}
""" + INSTANCE.replace("advert_int 1\n", "advert_int 1\n    track_script {\n        chk\n    }\n")


@pytest.mark.behaviour("REL-17")
def test_a_script_that_changes_keeps_its_result_and_the_plan_says_so() -> None:
    [times] = changes(TRACKED, TRACKED.replace("interval 2", "interval 3"), MASTER)
    assert (times.what, times.name, times.details) == ("script", "chk", ("interval: 2 s -> 3 s", "timeout: 2 s -> 3 s"))
    [program] = changes(TRACKED, TRACKED.replace("/bin/true", "/bin/echo"), MASTER)
    assert program.details == (
        "argv: /bin/true -> /bin/echo", "it runs at once; what was found before counts until then",
    )  # fmt: skip
    assert program.transition == times.transition == ""


def test_what_is_newly_followed_can_keep_a_router_out() -> None:
    both = TRACKED.replace("        chk\n", "        chk\n        other\n")
    [weighted] = changes(TRACKED, both, MASTER)
    assert weighted.details == ("trackers: script chk -> script chk script other weight -5",)
    assert weighted.transition == ""
    [needed] = changes(TRACKED, both.replace("weight -5", "weight 0"), MASTER)
    assert needed.transition == "FAULT until other has succeeded"
    [interface] = changes(INSTANCE, INSTANCE.replace("advert_int 1", "track_interface {\n eth1\n }"), MASTER)
    assert interface.transition == "FAULT if this is not well now: eth1"


def test_what_has_no_lines_of_its_own_is_told_as_a_setting() -> None:
    [one] = changes(INSTANCE, "global_defs {\n vrrp_garp_interval 0.5\n}" + INSTANCE)
    assert (one.what, one.name, len(one.details)) == ("settings", "of VRRP", 1)
    scripts = SERVICE.replace("TCP_CHECK { }", "notify_down /bin/false\n TCP_CHECK { }")
    [alert] = changes(SERVICE, scripts)
    assert (alert.what, alert.name) == ("alerts", "192.0.2.100:80/tcp")
    assert alert.details == ("10.0.0.2:80 program when down: none -> /bin/false",)


def test_the_text_ends_with_counts_and_who_may_change() -> None:
    text = render(changes(INSTANCE + SERVICE, INSTANCE.replace("150", "90"), MASTER))
    assert text.endswith("1 instance changed, 1 service removed.\nA change of master is possible for: VI_1.\n")


def test_programs_get_the_same_facts() -> None:
    document = to_document(changes(INSTANCE, INSTANCE.replace("150", "90"), MASTER))
    assert document["transition_possible"] is True
    assert document["changes"][0]["details"] == ["priority: 150 -> 90"]
