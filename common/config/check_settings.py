"""What of a checker hangs on words alone: its own, its real server's, its virtual server's (CHK-1, CHK-9).

A large service has thousands of checkers that say the same: their words are looked up once.
"""

from __future__ import annotations

from pyhad.common.config.checked_around import Around, CheckSettings
from pyhad.common.config.complaints import Complaints
from pyhad.common.config.model import SECOND_NS, Timing
from pyhad.common.config.tree import Statement

_RETRY_DELAY_NS = {"HTTP_GET": 3 * SECOND_NS, "SSL_GET": 3 * SECOND_NS}
_RETRIES = {"MISC_CHECK": 0, "DNS_CHECK": 3}


def settings_of(check: Statement, around: Around) -> CheckSettings:
    """Equal lines share one piece: the pieces of a checker and its real server stand for all their words."""
    pieces = [id(child.line.piece) for child in (*check.children, *around.real.children)]
    key = (id(check.keyword), len(check.children), *pieces)  # a line of one is none of the other
    found = around.settings.get(key)
    if found is None:
        found = around.settings[key] = _look_up(check, around)
    return found


def _look_up(check: Statement, around: Around) -> CheckSettings:
    return CheckSettings(
        timing=_timing(check, around),
        alpha=check.switch("alpha", default=is_alpha(around.real, around.virtual)),
        connect_ip=check.text_of("connect_ip"),
        connect_port=check.number_of("connect_port", 0),
        connect_timeout_ns=around.number(check, "connect_timeout", 5 * SECOND_NS),
        bind_address=check.text_of("bindto"),
        bind_port=check.number_of("bind_port", 0),
        bind_interface=check.text_of("bind_if"),
        fwmark=check.number_of("fwmark", 0),
    )


def _timing(check: Statement, around: Around) -> Timing:
    delay_loop_ns = around.number(check, "delay_loop", 60 * SECOND_NS)
    retry_delay_ns = delay_loop_ns if check.name == "DNS_CHECK" else _RETRY_DELAY_NS.get(check.name, SECOND_NS)
    return Timing(
        delay_loop_ns=delay_loop_ns,
        retry=around.number(check, "retry", _RETRIES.get(check.name, 1)),
        delay_before_retry_ns=around.number(check, "delay_before_retry", retry_delay_ns),
        warmup_ns=around.number(check, "warmup", delay_loop_ns),
        log_all_failures=check.switch("log_all_failures", default=around.log_all_failures),
        max_latency_ns=around.number(check, "pyhad_max_latency", 0),
        latency_warning_ns=around.number(check, "pyhad_latency_warning", 0),
    )


def is_alpha(real: Statement, virtual: Statement) -> bool:
    """`alpha` of the real server, else of the service."""
    return real.switch("alpha", default=virtual.has("alpha"))


def warn_of_latencies(level: Statement, complaints: Complaints) -> None:
    """A warning that could never come, both limits standing in the same block: a service, a real server, a check."""
    warning = level.last("pyhad_latency_warning")
    limit = level.last("pyhad_max_latency") if warning is not None else None
    if warning is not None and limit is not None and warning.number() >= limit.number():
        message = "pyhad_latency_warning does nothing: what takes so long has failed by pyhad_max_latency"
        complaints.warning(message, warning.at, hint="give it less than pyhad_max_latency")
