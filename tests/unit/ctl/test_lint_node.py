"""One file: what is allowed and likely to hurt."""

from __future__ import annotations

import pytest

from pyhad.common.config.compile import CompileOptions, compile_text
from pyhad.ctl.lint_node import lint_node

INSTANCE = """vrrp_instance VI_1 {{
    interface eth0
    virtual_router_id 51
    virtual_ipaddress {{ 192.0.2.100/24 }}
    {0}
}}
"""
SERVICE = """virtual_server 192.0.2.100 80 {{
    lb_algo rr
    lb_kind NAT
    protocol TCP
    {0}
    real_server 10.0.0.1 80 {{ {1} }}
    real_server 10.0.0.2 80 {{ {1} }}
}}
"""
CHECK = "TCP_CHECK { }"


def found(text: str) -> list[tuple[int, str]]:
    result = compile_text(text, "t.conf", CompileOptions(config_id="n"))
    assert result.configuration is not None, result.diagnostics
    return [(one.at.line, one.message) for one in lint_node(result)]


@pytest.mark.parametrize("text", [INSTANCE.format("priority 150"), SERVICE.format("", CHECK)])
def test_an_ordinary_file_is_quiet(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "line", "begins"),
    [
        (INSTANCE.format("version 3\nadvert_int 0.02"), 6, "'VI_1': peers take over 60 ms after the last advert"),
        (INSTANCE.format("priority 255"), 5, "'VI_1' has priority 255: it counts as the owner"),
        (SERVICE.format("", ""), 6, "10.0.0.1:80 of 192.0.2.100:80/tcp has no check that acts"),
        (SERVICE.format("", CHECK + "\nweight 0"), 1, "all servers of 192.0.2.100:80/tcp have weight 0"),
        (SERVICE.format("quorum 2", CHECK), 5, "quorum 2 needs every server of 192.0.2.100:80/tcp"),
        (
            SERVICE.format("delay_loop 5", "TCP_CHECK { connect_timeout 3 }"),
            6,
            "a dead 10.0.0.1:80 is noticed only 7 s after a check began (2 tries of 3 s), longer than the delay",
        ),
        (
            "vrrp_track_process p {\nprocess sshd\n}\n" + INSTANCE.format(""),
            1,
            "vrrp_track_process 'p' is tracked by nothing",
        ),
        (INSTANCE.format("notify /bin/true"), 5, "'notify' names no user and there is no script_user"),
    ],
)
def test_what_is_likely_to_hurt_is_found_at_its_line(text: str, line: int, begins: str) -> None:
    assert any(at == line and message.startswith(begins) for at, message in found(text)), found(text)


def test_a_script_with_a_user_is_quiet() -> None:
    assert found("global_defs {\nscript_user nobody\n}\n" + INSTANCE.format("notify /bin/true")) == []


def test_a_file_with_errors_is_not_linted() -> None:
    result = compile_text("vrrp_instance {", "t.conf", CompileOptions(config_id="n"))
    assert lint_node(result) == ()
