"""Which address of a name counts, and the checks with it."""

from __future__ import annotations

from pyhad.checker_proc.core.names import Placed, names_of, place, rank, targets, usable, used_by
from pyhad.common.config.model import SCHEMA, CheckedServer, CheckerDocument, Target, TcpCheck, Timing

WEB = ("web.example", 4)
KEY = ("10.0.0.1:80/tcp", "web.example:80")


def tcp(address: str) -> TcpCheck:
    return TcpCheck(target=Target(address=address, port=80), timing=Timing(), alpha=False)


def document(*, is_checked: bool = True, family: int = 4) -> CheckerDocument:
    server = CheckedServer(
        service=KEY[0], server=KEY[1], address="", port=80, weight=1, alpha=False,
        checks=(tcp(""), tcp("10.9.9.9")) if is_checked else (), name="web.example", family=family,
    )  # fmt: skip
    return CheckerDocument(schema=SCHEMA, generation=1, servers=(server,))


def moving(was: CheckerDocument, *, is_up: bool) -> Placed:
    return place(was, {WEB: ("10.0.0.8",)}, {KEY: "10.0.0.7"}, lambda key: key == KEY and is_up)


def addresses(placed: Placed) -> tuple[list[str], list[str]]:
    return [one.address for one in placed.document.servers], [one.address for one in placed.moves]


def test_least_address_counts_as_a_number_until_one_is_present() -> None:
    assert rank(["10.0.0.10", "10.0.0.9", "10.0.0.9"], "") == ("10.0.0.9", "10.0.0.10")
    assert rank(["10.0.0.10", "10.0.0.9"], "10.0.0.10") == ("10.0.0.10", "10.0.0.9")
    assert rank(["10.0.0.10"], "10.0.0.9") == ("10.0.0.10",)
    assert rank([], "10.0.0.9") == ()
    assert rank(["fd00::10", "fd00::9"], "") == ("fd00::9", "fd00::10")


def test_only_addresses_that_a_server_elsewhere_can_have_count() -> None:
    none = ["0.0.0.0", "127.0.0.1", "127.1.2.3", "224.0.0.1", "255.255.255.255", "169.254.0.1"]
    none += ["::", "::1", "ff02::1", "fe80::1", "fe80::1%lo", "::ffff:127.0.0.1", "::ffff:10.0.0.1"]
    assert [one for one in none if usable([one])] == []
    assert usable(["10.0.0.8", "127.0.0.1", "10.0.0.7"]) == ["10.0.0.8", "10.0.0.7"]
    assert usable(["2001:DB8:0:0::0007"]) == ["2001:db8::7"]


def test_checks_of_the_server_get_its_address_and_others_keep_theirs() -> None:
    placed = place(document(), {WEB: ("10.0.0.7", "10.0.0.8")}, {}, lambda key: False)
    (server,) = placed.document.servers
    assert names_of(document()) == {WEB}
    assert server.checks == (tcp("10.0.0.7"), tcp("10.9.9.9"))
    assert addresses(placed) == (["10.0.0.7"], [])
    assert used_by(placed.document) == {KEY: "10.0.0.7"}


def test_nothing_is_checked_without_an_address_and_a_failure_is_told_from_waiting() -> None:
    (waiting,) = place(document(), {}, {}, lambda key: True).document.servers
    (failed,) = place(document(), {WEB: ()}, {}, lambda key: True).document.servers
    assert (waiting.checks, waiting.is_unresolved) == ((), False)
    assert (failed.checks, failed.is_unresolved) == ((), True)


def test_who_is_up_stays_until_the_other_address_is_tried() -> None:
    placed = moving(document(), is_up=True)
    assert addresses(placed) == (["10.0.0.7"], ["10.0.0.8"])
    assert placed.moves[0].checks == (tcp("10.0.0.8"), tcp("10.9.9.9"))


def test_who_is_among_the_answers_stays_whichever_its_name_chose_meanwhile() -> None:
    both, used = {WEB: ("10.0.0.8", "10.0.0.7")}, {KEY: "10.0.0.7"}
    for is_up in (True, False):
        assert addresses(place(document(), both, used, lambda key, is_up=is_up: is_up)) == (["10.0.0.7"], [])  # type: ignore[misc]
    assert targets(document(), both, used) == {KEY: "10.0.0.7"}
    assert targets(document(), both, {}) == {KEY: "10.0.0.8"}
    assert targets(document(), {WEB: ()}, used) == {KEY: ""}
    assert targets(document(), {}, used) == {KEY: None}


def test_who_is_down_or_not_checked_goes_at_once() -> None:
    assert addresses(moving(document(), is_up=False)) == (["10.0.0.8"], [])
    assert addresses(moving(document(is_checked=False), is_up=True)) == (["10.0.0.8"], [])


def test_where_it_was_counts_while_its_name_is_not_known() -> None:
    assert addresses(place(document(), {}, {KEY: "10.0.0.7"}, lambda key: True)) == (["10.0.0.7"], [])
    assert addresses(place(document(), {WEB: ()}, {KEY: "10.0.0.7"}, lambda key: True)) == (["10.0.0.7"], [])


def test_an_address_of_the_other_family_does_not_count() -> None:
    assert addresses(place(document(family=6), {}, {KEY: "10.0.0.7"}, lambda key: True)) == ([""], [])


def test_a_document_without_names_is_not_touched() -> None:
    plain = CheckerDocument(schema=SCHEMA, generation=1, servers=())
    assert place(plain, {}, {}, lambda key: True).document is plain
