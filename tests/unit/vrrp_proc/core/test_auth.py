"""Authentication of version 2: type and data, compared."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pyhad.common.config.model import VrrpInstance
from pyhad.vrrp_proc.core.auth import check_authentication, data_of, trailer_bytes, type_of
from pyhad.vrrp_proc.core.refusals import AdvertisementRefused

SECRET = b"secretlo"


def refused(auth_type: int, data: bytes, config: VrrpInstance) -> str:
    with pytest.raises(AdvertisementRefused) as caught:
        check_authentication(auth_type, data, config)
    assert "secret" not in str(caught.value)
    return caught.value.counter


def test_the_type_is_1_with_a_password_and_0_without(make_config: Callable[..., VrrpInstance]) -> None:
    assert type_of(make_config()) == 0
    assert type_of(make_config(authentication_data=SECRET)) == 1


@pytest.mark.behaviour("PKT-2")
def test_only_version_2_over_ipv4_ends_in_eight_bytes() -> None:
    assert [trailer_bytes(version, family) for version, family in ((2, 4), (2, 6), (3, 4), (3, 6))] == [8, 0, 0, 0]


@pytest.mark.behaviour("PKT-27", "AUTH-2")
def test_the_same_password_is_accepted_and_any_other_is_not(make_config: Callable[..., VrrpInstance]) -> None:
    config = make_config(authentication_data=SECRET)
    check_authentication(1, SECRET, config)
    for data in (b"secretl\0", b"Secretlo", b"", bytes(8), SECRET + b"n"):
        assert refused(1, data, config) == "auth_failure"


@pytest.mark.behaviour("PKT-27")
def test_another_type_is_a_mismatch_and_an_unknown_one_invalid(make_config: Callable[..., VrrpInstance]) -> None:
    config = make_config(authentication_data=SECRET)
    assert refused(0, SECRET, config) == "authtype_mismatch"
    assert refused(2, SECRET, config) == "authtype_mismatch"
    assert refused(3, SECRET, config) == "invalid_authtype"
    assert refused(1, SECRET, make_config()) == "authtype_mismatch"


def test_without_authentication_the_eight_bytes_do_not_matter(make_config: Callable[..., VrrpInstance]) -> None:
    check_authentication(0, SECRET, make_config())


@pytest.mark.behaviour("AUTH-3")
def test_the_key_of_an_authentication_header_is_not_sent(make_config: Callable[..., VrrpInstance]) -> None:
    config = make_config(authentication_data=SECRET, authentication_header=True)
    assert (type_of(config), data_of(config)) == (2, bytes(8))
    assert data_of(make_config(authentication_data=SECRET)) == SECRET
    assert data_of(make_config()) == bytes(8)
    assert data_of(make_config(version=3)) == b""
    check_authentication(2, b"anything", config)
