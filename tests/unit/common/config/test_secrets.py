"""Passwords never stand in what is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyhad.common.config.diagnostics import render, to_json
from pyhad.common.config.secrets import hide

Compile = Callable[..., Any]


@pytest.mark.parametrize(
    "text",
    [
        "vrrp_instance A {\n authentication {\n  auth_pass swordfish too many\n }\n}\n",
        "vrrp_instance A {\n authentication {\n  auth_pas swordfish\n }\n}\n",
        "vrrp_instance A {\n auth_pas swordfish\n}\n",
        "vrrp_instance A {\n auth_pass swordfish\n}\n",
        "vrrp_instance A {\n authentication { auth_type NONE auth_pass swordfish }\n}\n",
        "vrrp_instance A {\n authentication { auth_pass swordfish } nonsense\n}\n",
        'vrrp_instance A {\n authentication {\n auth_pass "swordfish\n }\n}\n',
        "vrrp_instance A {\n authentication\n auth_pass swordfish\n}\n",
        "vrrp_instance A {\n auth_hmac {\n  key 999 swordfish\n }\n}\n",
        "vrrp_instance A {\n auth_hmac {\n  swordfish\n }\n}\n",
        "SSL {\n password swordfish extra\n}\n",
        "SSL {\n pasword swordfish\n}\n",
        "$AUTH_PASS=swordfish\nvrrp_instance A {\n authentication {\n  auth_pass $AUTH_PASS x\n }\n}\n",
        "$AUTH_PASS=swordfish\nvrrp_instance A {\n authentication {\n  auth_type $AUTH_PASS\n }\n}\n",
    ],
)
def test_no_message_holds_a_secret(compiled: Compile, text: str) -> None:
    result = compiled(text).result
    assert result.diagnostics
    assert "swordfish" not in render(result.diagnostics, False)
    assert "swordfish" not in to_json(result.diagnostics)
    assert "swordfish" not in repr(result.diagnostics)


def test_what_is_no_secret_stays() -> None:
    assert hide("    virtual_router_id 51") == ("    virtual_router_id 51", "")
    assert hide("    auth_pass x y") == ("    auth_pass ********", "x y")
    assert hide("    regex monkey business") == ("    regex monkey business", "")
