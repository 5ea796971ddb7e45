"""Lines of policy rules to the model (NET-7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyhad.common.config.model.routes import VirtualRule

Compile = Callable[..., Any]


def rules(result: Any) -> tuple[VirtualRule, ...]:
    assert result.errors == []
    [one] = result.result.configuration.vrrp.instances
    found: tuple[VirtualRule, ...] = one.rules
    return found


def plain(**changes: Any) -> VirtualRule:
    settings = {"text": "", "family": 4, "priority": 7, **changes}
    return VirtualRule(**settings)


@pytest.mark.behaviour("QRK-6")
@pytest.mark.behaviour("NET-7")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("from 10.7.0.0/16 table 100", plain(source="10.7.0.0", source_len=16, table=100)),
        ("not to 10.7.0.0/16 lookup main", plain(inverted=True, destination="10.7.0.0", destination_len=16, table=254)),
        ("inet6 table 100", plain(family=6, table=100)),
        ("from 2001:db8::/32 table 100", plain(family=6, source="2001:db8::", source_len=32, table=100)),
        ("iif eth0 oif eth1 blackhole", plain(action=6, input_interface="eth0", output_interface="eth1")),
        ("type unreachable dev lo", plain(action=7, input_interface="lo")),
        ("fwmark 0x10/0xff table 1", plain(mark=16, mark_mask=255, table=1)),
        ("fwmark 010 table 1", plain(mark=8, table=1)),
        ("tos 0x10 table 1 realms 3/4", plain(tos=16, table=1, realms=0x30004)),
        ("table 1 sup_pl 0 sup_group 7", plain(table=1, suppress_prefix_len=0, suppress_group=7)),
        ("tunnel-id 18446744073709551615 prohibit", plain(action=8, tunnel_id=2**64 - 1)),
        ("uidrange 100-200 l3mdev", plain(uid_first=100, uid_last=200, l3mdev=True)),
        ("l3mdev prohibit", plain(action=8, l3mdev=True)),
        ("goto 8", plain(action=2, goto=8)),
        ("nop no_track", plain(action=3)),
        (
            "ipproto 6 sport 80 dport 1000-2000 table 1",
            plain(
                ip_protocol=6, source_port=80, source_port_last=80, destination_port=1000, destination_port_last=2000,
                table=1,
            ),
        ),
        ("protocol 99 no_track table 1", plain(protocol=99, table=1)),
    ],
)  # fmt: skip
def test_a_line_means_what_iproute2_would_make_of_it(instance: Compile, line: str, expected: VirtualRule) -> None:
    assert rules(instance(f"virtual_rules {{\n{line} preference 7\n}}")) == (expected,)


@pytest.mark.behaviour("NET-7")
def test_rules_without_preference_count_down_through_the_file_by_family(compiled: Compile) -> None:
    text = """
static_rules {
    from 10.1.0.0/16 table 1
}
vrrp_instance A {
    interface eth0
    virtual_router_id 1
    virtual_ipaddress { 192.0.2.1 }
    virtual_rules {
        from 10.2.0.0/16 table 1
        inet6 table 1
        from 10.3.0.0/16 table 1 order 0x10
        from 10.4.0.0/16 table 1
    }
}
static_rules {
    from 10.5.0.0/16 table 1
}
"""
    result = compiled(text)
    document = result.result.configuration.vrrp
    assert [rule.priority for rule in document.statics.rules] == [16384, 16381]
    assert [rule.priority for rule in rules(result)] == [16383, 16384, 16, 16382]
    assert sum("has no preference" in text for text in result.warnings) == 5


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("from 10.7.0.0/16", "has no action"),
        ("table 1 blackhole", "two actions"),
        ("table 1 l3mdev", "both l3mdev and a table"),
        ("table 0", "table 0 is no table"),
        ("goto 7 preference 7", "leads back"),
        ("from 10.7.0.0/16 to 2001:db8::/32 table 1", "mixes IPv4 and IPv6"),
        ("blackhole realms 3", "realms needs a table"),
        ("inet6 table 1 realms 3", "for IPv4 rules only"),
        ("sport 70000 table 1", "no range up to 65535"),
        ("dport 20-10 table 1", "no range up to 65535"),
        ("ipproto no-such-protocol table 1", "no protocol of this machine"),
        ("fwmark 09 table 1", "no mark of 32 bits"),
    ],
)
def test_a_line_without_sense_is_an_error_that_says_why(instance: Compile, line: str, said: str) -> None:
    errors = instance(f"virtual_rules {{\n{line}\n}}").errors
    assert len(errors) == 1
    assert said in errors[0]


def test_a_protocol_of_its_own_needs_no_track(instance: Compile) -> None:
    result = instance("virtual_rules {\ntable 1 protocol 99 preference 7\n}")
    assert rules(result)[0].protocol == 18
    assert any("protocol is ignored" in text for text in result.warnings)
