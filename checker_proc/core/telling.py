"""Who is told what of real and virtual servers: lines, programs, mails (NTF-21, NTF-22, MAIL-5, MAIL-6). Sends nothing.

Servers' states are the checks' own; quorums are what the owner of the balancing says. What was told before this process
began comes in from outside, so that nothing is told twice and the last state always is.
"""

from __future__ import annotations

from collections.abc import Mapping

from pyhad.checker_proc.core.mail_words import body_of
from pyhad.common.config.model import CheckerDocument
from pyhad.common.config.model.alerts import ToldServer, ToldService
from pyhad.common.config.model.tracking import Program
from pyhad.common.messages import QuorumState
from pyhad.common.records import dataclass, field

ServerKey = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteLine:
    """One line for every FIFO."""

    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunProgram:
    """After whatever was to be run for `key` before."""

    key: str
    program: Program


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMail:
    """One mail."""

    subject: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteQuorum:
    """What a successor has to know: this was told of the service; None: the service is gone."""

    service: str
    up: bool | None


Told = WriteLine | RunProgram | SendMail | NoteQuorum


@dataclass(slots=True)
class _Service:
    config: ToldService
    up: bool | None = None
    """The quorum that was told last; None: none yet."""
    servers: dict[str, _Server] = field(default_factory=dict)


@dataclass(slots=True)
class _Server:
    config: ToldServer
    up: bool | None
    """As told last, or assumed at the start; None: an alpha server that was not tested yet."""


class Telling:
    """All services of the configuration. Each method gives what is to be done, in order."""

    def __init__(self) -> None:
        self._services: dict[str, _Service] = {}
        self._quorums: dict[str, QuorumState] = {}
        self._router_id = ""
        self._mails_each_check = True

    def configure(
        self, document: CheckerDocument, servers: Mapping[ServerKey, bool], quorums: Mapping[str, bool]
    ) -> list[Told]:
        """A configuration, the first or a reload. `servers`, `quorums`: what a predecessor told of those new to us."""
        before, self._services = self._services, {}
        self._router_id = document.router_id
        self._mails_each_check = document.mails_each_check
        alpha = {(server.service, server.server) for server in document.servers if server.alpha}
        told: list[Told] = []
        for config in document.told:
            was = before.pop(config.service, None)
            service = _Service(config, was.up if was else quorums.get(config.service))
            self._services[config.service] = service
            old = was.servers if was else {}
            for server in config.servers:
                key = (config.service, server.server)
                kept = old.pop(server.server, None)
                if kept is not None:
                    service.servers[server.server] = _Server(server, kept.up)
                    continue
                known = servers.get(key)
                up = known if known is not None else None if key in alpha else True
                service.servers[server.server] = _Server(server, up)
                if document.tells_first_up and known is None and up:
                    told += self._server(config, server, up=True)
            for gone in old.values():
                told += self._end_server(config, gone, "Removing")
        for was in before.values():
            told += self._end_service(was, "Removing")
            told.append(NoteQuorum(service=was.config.service, up=None))
        for state in self._quorums.values():  # it may have been said before the configuration was ours
            told += self._quorum(state)
        return told

    def server_is(self, service: str, server: str, *, up: bool) -> list[Told]:
        """Its checks say so."""
        found = self._services.get(service)
        one = found.servers.get(server) if found is not None else None
        if found is None or one is None or one.up is up:
            return []
        one.up = up
        return self._server(found.config, one.config, up=up)

    def check_is(
        self, service: str, server: str, kind: str, *, up: bool, reason: str, server_up: bool, server_changed: bool
    ) -> list[Told]:
        """One check of it changed: a mail, with the state that the server has now (MAIL-9)."""
        found = self._services.get(service)
        one = found.servers.get(server) if found is not None else None
        if found is None or one is None or not (server_changed or self._mails_each_check):
            return []
        return self._server_mail(found.config, one.config, body_of(kind, up=up, reason=reason), up=server_up)

    def quorums_are(self, states: tuple[QuorumState, ...], *, whole: bool) -> list[Told]:
        """The `whole` that the owner of the balancing knows, or what it says anew."""
        told: list[Told] = []
        if whole:
            self._quorums.clear()
        for state in states:
            self._quorums[state.service] = state
            told += self._quorum(state)
        return told

    def stop(self) -> list[Told]:
        """PROC-41: an orderly stop, of which only services with `omega` tell."""
        told: list[Told] = []
        for service in self._services.values():
            if service.config.omega:
                told += self._end_service(service, "Shutting down")
        return told

    # ------------------------------------------------------------------------------------------------ parts

    def _quorum(self, state: QuorumState) -> list[Told]:
        service = self._services.get(state.service)
        if service is None or service.up is state.up:
            return []
        word = f"quorum {_low(state.up)}" if service.up is None else "quorum"
        verb = "Starting with" if service.up is None else "Gained" if state.up else "Lost"
        service.up = state.up
        threshold = state.quorum + state.hysteresis if state.up else state.quorum - state.hysteresis
        body = f"{verb} {word} {state.quorum}+{state.hysteresis}={threshold} <= {state.weight_sum}"
        return self._service(service.config, up=state.up, body=body)

    def _end_service(self, service: _Service, body: str) -> list[Told]:
        told: list[Told] = []
        for server in service.servers.values():
            told += self._end_server(service.config, server, body)
        if service.up:
            service.up = False
            told += self._service(service.config, up=False, body=body)
        return told

    def _end_server(self, config: ToldService, server: _Server, body: str) -> list[Told]:
        if not server.up:
            return []
        server.up = False
        return [
            *self._server(config, server.config, up=False),
            *self._server_mail(config, server.config, body, up=False),
        ]

    def _server(self, service: ToldService, server: ToldServer, *, up: bool) -> list[Told]:
        """LVS-36: the program, then the line."""
        program = server.up if up else server.down
        line = WriteLine(line=f"RS {server.name} {service.name} {_word(up)}\n")
        if program is None:
            return [line]
        return [RunProgram(key=f"RS {service.service} {server.server}", program=program), line]

    def _server_mail(self, service: ToldService, server: ToldServer, body: str, *, up: bool) -> list[Told]:
        if not server.mails:
            return []
        about = f"Realserver {server.name} of virtual server {service.name}"
        return [SendMail(subject=f"[{self._router_id}] {about} - {_word(up)}", body=body)]

    def _service(self, service: ToldService, *, up: bool, body: str) -> list[Told]:
        told: list[Told] = []
        program = service.up if up else service.down
        if program is not None:
            told.append(RunProgram(key=f"VS {service.service}", program=program))
        told.append(WriteLine(line=f"VS {service.name} {_word(up)}\n"))
        if service.mails:
            subject = f"[{self._router_id}] Virtualserver {service.name} - {_word(up)}"
            told.append(SendMail(subject=subject, body=body))
        told.append(NoteQuorum(service=service.service, up=up))
        return told


def _word(up: bool) -> str:
    return "UP" if up else "DOWN"


def _low(up: bool) -> str:
    return "up" if up else "down"
