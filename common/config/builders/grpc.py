"""PYHAD_GRPC_CHECK to the model."""

from __future__ import annotations

from pyhad.common.config.builders.http import certificate_warning_ns, host_around, sni_of
from pyhad.common.config.checked_around import Around
from pyhad.common.config.complaints import Complaints
from pyhad.common.config.model import GrpcCheck, Target, Timing
from pyhad.common.config.source import Trouble
from pyhad.common.config.tree import Statement

_SERVICE_MAX = 127
_TLS_ONLY = ("enable_sni", "sni_name", "pyhad_certificate_warning")


def build_grpc(
    check: Statement, around: Around, target: Target, timing: Timing, alpha: bool, complaints: Complaints
) -> GrpcCheck | None:
    """The check; None with an error for a name that no service has."""
    service, tls = check.text_of("service"), check.switch("tls", default=False)
    if len(service.encode("utf-8", "surrogateescape")) > _SERVICE_MAX or not service.isprintable():
        at = (check.last("service") or check).at
        hint = f"at most {_SERVICE_MAX} bytes, such as package.Service"
        complaints.error("service: this is no name of a service", at, hint=hint, trouble=Trouble.INVALID_VALUE)
        return None
    if not tls:
        for name in _TLS_ONLY:
            if (unused := check.last(name)) is not None:
                complaints.warning(f"{name} is ignored: there is no TLS", unused.at, hint="add: tls")
    host = host_around(check, around)
    return GrpcCheck(
        target=target,
        timing=timing,
        alpha=alpha,
        service=service,
        host=host,
        tls=tls,
        sni=sni_of(check, host, complaints) if tls else "",
        certificate_warning_ns=certificate_warning_ns(check) if tls else 0,
    )
