"""The document of the checker process, and what the VRRP process leaves to it. Builds no check."""

from __future__ import annotations

from dataclasses import replace

from pyhad.common.config.builders.alerts import AlertBuilder
from pyhad.common.config.builders.globals import Globals
from pyhad.common.config.builders.services import Services
from pyhad.common.config.builders.tracking import Tracking
from pyhad.common.config.model import SCHEMA, SECOND_NS, Check, CheckerDocument, FileCheck, TlsClient


def build_checker(
    shared: Globals, services: Services, alerts: AlertBuilder, tls_client: TlsClient, generation: int
) -> CheckerDocument:
    """All of it."""
    scripts = alerts.scripts
    return CheckerDocument(
        schema=SCHEMA,
        generation=generation,
        servers=services.checked,
        log_all_failures=shared.log_all_failures,
        resolve_interval_ns=scripts.settings.number_of("pyhad_resolve_interval", 30 * SECOND_NS),
        tls_client=tls_client,
        told=services.told,
        fifos=scripts.fifos("lvs_notify_fifo"),
        mail=alerts.mail(),
        router_id=shared.router_id,
        mails_each_check=not scripts.settings.has("no_checker_emails"),
        workers=shared.checker_workers,
        tells_first_up=scripts.settings.has("rs_init_notifies"),
        script_security=scripts.security,
        keep_script_links=scripts.keep_links,
    )


def without_services(checker: CheckerDocument) -> CheckerDocument:
    """Where the command line leaves balancing out (-P)."""
    return replace(checker, servers=(), told=(), fifos=())


def left_to_vrrp(tracking: Tracking, checker: CheckerDocument) -> Tracking:
    """A FIFO of both has one reader, the checker's, where that runs (NTF-26)."""
    if not checker.told:
        return tracking
    shared = {fifo.path for fifo in checker.fifos}
    fifos = tuple(replace(fifo, script=None) if fifo.path in shared else fifo for fifo in tracking.fifos)
    return replace(tracking, fifos=fifos)


def once_initialized(checker: CheckerDocument, tracking: Tracking) -> CheckerDocument:
    """A file that virtual routers follow too gets its first value from their process alone (TRK-22)."""
    followed = {file.name for file in tracking.files}

    def less(check: Check) -> Check:
        if isinstance(check, FileCheck) and check.file.name in followed:
            return replace(check, file=replace(check.file, initial=None))
        return check

    if not followed:
        return checker
    servers = tuple(replace(server, checks=tuple(less(check) for check in server.checks)) for server in checker.servers)
    return replace(checker, servers=servers)
