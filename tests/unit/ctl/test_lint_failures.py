"""Which single failures leave nobody."""

from __future__ import annotations

from pyhad.common.config.compile import CompileOptions, CompileResult, compile_text
from pyhad.ctl.lint_cluster import forecast, lint_cluster
from pyhad.ctl.lint_failures import fatal_failures
from pyhad.ctl.members import members_of

NODE = """global_defs {
    script_user root
    enable_script_security
}
vrrp_script s1 {
    script "/bin/ping -c1 192.0.2.1"
}
vrrp_instance A {
    interface eth0
    virtual_router_id 51
    priority 150
    virtual_ipaddress { 192.0.2.100/24 }
    track_script { s1 }
}
vrrp_instance B {
    interface eth1
    virtual_router_id 52
    priority 150
    virtual_ipaddress { 198.51.100.100/24 }
}
"""
GROUP = "vrrp_sync_group G {\n group {\n A\n B\n }\n}\n"


def nodes(first: str, second: str) -> list[CompileResult]:
    return [
        compile_text(text, name, CompileOptions(config_id=name))
        for text, name in ((first, "a.conf"), (second.replace("150", "100"), "b.conf"))
    ]


def fatal(first: str, second: str) -> list[tuple[str, ...]]:
    results = nodes(first, second)
    return [fatal_failures(members, results) for _, members in sorted(members_of(results).items())]


def test_a_script_without_weight_on_every_node_is_one_failure_for_all() -> None:
    assert fatal(NODE, NODE) == [("what '/bin/ping -c1 192.0.2.1' checks",), ()]
    messages = [one.message for one in lint_cluster(nodes(NODE, NODE))]
    assert messages == [
        "'A' goes to FAULT on every node when what '/bin/ping -c1 192.0.2.1' checks fails: "
        "then nobody holds the addresses"
    ]


def test_with_a_weight_or_another_command_it_is_none() -> None:
    assert fatal(NODE, NODE.replace("{ s1 }", "{ s1 weight -60 }"))[0] == ()
    assert fatal(NODE, NODE.replace('192.0.2.1"', '192.0.2.9"'))[0] == ()
    assert lint_cluster(nodes(NODE, NODE.replace("{ s1 }", "{ s1 weight -60 }"))) == ()


def test_in_a_sync_group_the_network_of_each_is_that_of_all() -> None:
    both = NODE.replace("track_script { s1 }", "") + GROUP
    assert fatal(both, both) == [("the network of eth1",), ("the network of eth0",)]
    assert fatal(both, NODE.replace("track_script { s1 }", "")) == [(), ()]


def test_a_tracked_interface_is_a_failure_unless_it_only_weighs() -> None:
    tracked = NODE.replace("track_script { s1 }", "track_interface { eth2 }")
    assert fatal(tracked, tracked)[0] == ("the network of eth2",)
    weighed = NODE.replace("track_script { s1 }", "track_interface { eth2 weight -60 }")
    assert fatal(weighed, weighed)[0] == ()


def test_what_one_node_has_alone_falls_with_it_and_the_forecast_says_so() -> None:
    results = nodes(NODE.replace("track_script { s1 }", ""), NODE[: NODE.index("vrrp_instance B")])
    rows = forecast(results).splitlines()
    assert rows == [
        "VRID 51 IPv4 'A': a.conf (150), then b.conf (100)",
        "VRID 52 IPv4 'B': a.conf (150)",
        "    nobody, if this alone fails: node a.conf",
    ]
