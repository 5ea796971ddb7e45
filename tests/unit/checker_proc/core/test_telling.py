"""Who is told what, line by line and mail by mail."""

from __future__ import annotations

import pytest

from pyhad.checker_proc.core.telling import NoteQuorum, RunProgram, SendMail, Telling, Told, WriteLine
from pyhad.common.config.model import SCHEMA, CheckedServer, CheckerDocument
from pyhad.common.config.model.alerts import ToldServer, ToldService
from pyhad.common.config.model.tracking import Program
from pyhad.common.messages import QuorumState

VS, RS1, RS2 = "10.9.9.9:80/tcp", "127.0.0.1:8001", "127.0.0.1:8002"
UP, DOWN = Program(argv=("/up",)), Program(argv=("/down",))
GAINED, LOST = Program(argv=("/gained",)), Program(argv=("/lost",))


def told_server(server: str, *, mails: bool = True) -> ToldServer:
    name = server.replace("127.0.0.1:", "[127.0.0.1]:tcp:")
    return ToldServer(server=server, name=name, up=UP, down=DOWN, mails=mails)


def service(*servers: str, omega: bool = False, mails: bool = True) -> ToldService:
    return ToldService(
        service=VS, name="[10.9.9.9]:tcp:80", servers=tuple(told_server(server) for server in servers),
        up=GAINED, down=LOST, mails=mails, omega=omega,
    )  # fmt: skip


def document(
    *services: ToldService, alpha: tuple[str, ...] = (), each: bool = True, first_up: bool = False
) -> CheckerDocument:
    servers = tuple(
        CheckedServer(service=VS, server=server, address="127.0.0.1", port=1, weight=1, alpha=True, checks=())
        for server in alpha
    )
    return CheckerDocument(
        schema=SCHEMA, generation=1, servers=servers, told=services, router_id="R1", mails_each_check=each,
        tells_first_up=first_up,
    )  # fmt: skip


def quorum(*, up: bool, weight_sum: int, hysteresis: int = 0) -> QuorumState:
    return QuorumState(service=VS, up=up, weight_sum=weight_sum, quorum=2, hysteresis=hysteresis)


def lines(told: list[Told]) -> list[str]:
    return [one.line for one in told if isinstance(one, WriteLine)]


def programs(told: list[Told]) -> list[str]:
    return [one.program.argv[0] for one in told if isinstance(one, RunProgram)]


def mails(told: list[Told]) -> list[tuple[str, str]]:
    return [(one.subject, one.body) for one in told if isinstance(one, SendMail)]


@pytest.fixture
def telling() -> Telling:
    one = Telling()
    assert one.configure(document(service(RS1, RS2)), {}, {}) == []
    return one


@pytest.mark.behaviour("QRK-2", "VER-7")
@pytest.mark.behaviour("NTF-21", "LVS-36")
def test_a_server_that_goes_down_runs_its_program_and_then_says_so(telling: Telling) -> None:
    assert telling.server_is(VS, RS1, up=False) == [
        RunProgram(key=f"RS {VS} {RS1}", program=DOWN),
        WriteLine(line="RS [127.0.0.1]:tcp:8001 [10.9.9.9]:tcp:80 DOWN\n"),
    ]
    assert telling.server_is(VS, RS1, up=False) == []
    back = telling.server_is(VS, RS1, up=True)
    assert (programs(back), lines(back)) == (["/up"], ["RS [127.0.0.1]:tcp:8001 [10.9.9.9]:tcp:80 UP\n"])


@pytest.mark.behaviour("NTF-22")
def test_who_is_taken_as_up_says_nothing_and_an_alpha_server_its_first_state() -> None:
    telling = Telling()
    telling.configure(document(service(RS1, RS2), alpha=(RS2,)), {}, {})
    assert telling.server_is(VS, RS1, up=True) == []
    assert lines(telling.server_is(VS, RS2, up=False)) == ["RS [127.0.0.1]:tcp:8002 [10.9.9.9]:tcp:80 DOWN\n"]


def test_servers_that_are_put_in_at_the_start_are_told_where_that_is_wanted() -> None:
    told = Telling().configure(document(service(RS1, RS2), alpha=(RS2,), first_up=True), {}, {})
    assert (programs(told), lines(told), mails(told)) == (
        ["/up"], ["RS [127.0.0.1]:tcp:8001 [10.9.9.9]:tcp:80 UP\n"], [],
    )  # fmt: skip


@pytest.mark.behaviour("NTF-22", "LVS-33", "MAIL-6", "MAIL-7")
def test_the_first_word_on_a_quorum_is_told_whatever_it_is(telling: Telling) -> None:
    told = telling.quorums_are((quorum(up=True, weight_sum=3),), whole=True)
    assert told == [
        RunProgram(key=f"VS {VS}", program=GAINED),
        WriteLine(line="VS [10.9.9.9]:tcp:80 UP\n"),
        SendMail(
            subject="[R1] Virtualserver [10.9.9.9]:tcp:80 - UP", body="Starting with quorum up 2+0=2 <= 3"
        ),
        NoteQuorum(service=VS, up=True),
    ]  # fmt: skip
    assert telling.quorums_are((quorum(up=True, weight_sum=2),), whole=True) == []


@pytest.mark.behaviour("MAIL-6")
def test_a_quorum_that_is_lost_or_gained_names_its_threshold(telling: Telling) -> None:
    telling.quorums_are((quorum(up=True, weight_sum=3),), whole=True)
    lost = telling.quorums_are((quorum(up=False, weight_sum=0, hysteresis=1),), whole=False)
    assert (programs(lost), lines(lost)) == (["/lost"], ["VS [10.9.9.9]:tcp:80 DOWN\n"])
    assert mails(lost) == [("[R1] Virtualserver [10.9.9.9]:tcp:80 - DOWN", "Lost quorum 2+1=1 <= 0")]
    gained = telling.quorums_are((quorum(up=True, weight_sum=3, hysteresis=1),), whole=False)
    assert mails(gained) == [("[R1] Virtualserver [10.9.9.9]:tcp:80 - UP", "Gained quorum 2+1=3 <= 3")]


@pytest.mark.behaviour("MAIL-5", "MAIL-9")
def test_the_mail_of_a_check_has_the_state_of_its_server() -> None:
    telling = Telling()
    telling.configure(document(service(RS1)), {}, {})
    told = telling.check_is(
        VS, RS1, "MISC_CHECK", up=True, reason="check_succeeded", server_up=False, server_changed=False
    )
    subject = "[R1] Realserver [127.0.0.1]:tcp:8001 of virtual server [10.9.9.9]:tcp:80 - DOWN"
    assert told == [SendMail(subject=subject, body="MISC CHECK succeeded on service")]
    telling.configure(document(service(RS1), each=False), {}, {})
    quiet = telling.check_is(
        VS, RS1, "TCP_CHECK", up=False, reason="timeout", server_up=False, server_changed=False
    )  # fmt: skip
    assert quiet == []
    loud = telling.check_is(VS, RS1, "TCP_CHECK", up=False, reason="timeout", server_up=False, server_changed=True)
    assert mails(loud) == [(subject, "TCP CHECK failed on service")]


@pytest.mark.behaviour("REL-33", "REL-34", "REL-35")
def test_a_reload_tells_of_what_it_takes_away_and_of_nothing_else(telling: Telling) -> None:
    telling.quorums_are((quorum(up=True, weight_sum=3),), whole=True)
    telling.server_is(VS, RS1, up=False)
    gone = telling.configure(document(service(RS1)), {}, {})
    assert (programs(gone), lines(gone)) == (["/down"], ["RS [127.0.0.1]:tcp:8002 [10.9.9.9]:tcp:80 DOWN\n"])
    assert [body for _, body in mails(gone)] == ["Removing"]
    assert telling.server_is(VS, RS1, up=False) == []
    rest = telling.configure(document(), {}, {})
    assert (programs(rest), lines(rest)) == (["/lost"], ["VS [10.9.9.9]:tcp:80 DOWN\n"])
    assert rest[-1] == NoteQuorum(service=VS, up=None)


def test_a_successor_tells_only_what_became_different() -> None:
    telling = Telling()
    assert (
        telling.configure(document(service(RS1, RS2), first_up=True), {(VS, RS1): False, (VS, RS2): True}, {VS: True})
        == []
    )
    assert telling.server_is(VS, RS1, up=False) == []
    assert telling.quorums_are((quorum(up=True, weight_sum=3),), whole=True) == []
    assert lines(telling.server_is(VS, RS2, up=False)) == ["RS [127.0.0.1]:tcp:8002 [10.9.9.9]:tcp:80 DOWN\n"]


@pytest.mark.behaviour("PROC-41")
def test_a_stop_is_told_of_services_with_omega_only(telling: Telling) -> None:
    telling.quorums_are((quorum(up=True, weight_sum=3),), whole=True)
    assert telling.stop() == []
    telling.configure(document(service(RS1, RS2, omega=True)), {}, {})
    telling.server_is(VS, RS1, up=False)
    told = telling.stop()
    assert programs(told) == ["/down", "/lost"]
    assert lines(told) == ["RS [127.0.0.1]:tcp:8002 [10.9.9.9]:tcp:80 DOWN\n", "VS [10.9.9.9]:tcp:80 DOWN\n"]
    assert {body for _, body in mails(told)} == {"Shutting down"}


def test_a_quorum_that_is_said_before_its_service_is_configured_is_not_lost() -> None:
    telling = Telling()
    assert telling.quorums_are((quorum(up=False, weight_sum=0),), whole=True) == []
    assert lines(telling.configure(document(service(RS1)), {}, {})) == ["VS [10.9.9.9]:tcp:80 DOWN\n"]


def test_nobody_is_told_of_what_is_not_configured(telling: Telling) -> None:
    assert telling.server_is("other", RS1, up=False) == []
    assert telling.check_is(VS, "other", "TCP_CHECK", up=True, reason="", server_up=True, server_changed=True) == []


def test_who_wants_no_mail_gets_none() -> None:
    telling = Telling()
    quiet = ToldService(service=VS, name="FWM 9", servers=(told_server(RS1, mails=False),))
    telling.configure(document(quiet), {}, {})
    told = telling.quorums_are((quorum(up=False, weight_sum=0),), whole=True)
    told += telling.server_is(VS, RS1, up=False)
    told += telling.check_is(VS, RS1, "TCP_CHECK", up=False, reason="timeout", server_up=False, server_changed=True)
    assert mails(told) == []
    assert lines(told) == ["VS FWM 9 DOWN\n", "RS [127.0.0.1]:tcp:8001 FWM 9 DOWN\n"]
