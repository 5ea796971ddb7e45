"""`-d`: the compiled configuration as log lines (CLI-18). Runs in the compiler's process, which may be slow."""

from __future__ import annotations

import dataclasses
import enum
from typing import Any

from pyhad.common.config.model import Configuration
from pyhad.common.log import LogSettings, ProcessLog

DRAIN_S = 5.0
LINES_AT_ONCE = 1000


def log_configuration(configuration: Configuration, log: LogSettings) -> None:
    """A line for each process, and one for each instance, service, script …; no secret in any of them."""
    process_log = ProcessLog("config", log)
    documents: dict[str, Any] = {
        "parent": configuration.parent,
        "vrrp": configuration.vrrp,
        "checker": configuration.checker,
        "ipvs": configuration.ipvs,
    }
    lines = 0
    for name, document in documents.items():
        plain: dict[str, Any] = {}
        for field in dataclasses.fields(document):
            value = getattr(document, field.name)
            if not isinstance(value, tuple):
                plain[field.name] = _plain(value)
                continue
            for one in value:
                process_log.logger.info("configuration_part", of=name, kind=field.name, value=_plain(one))
                lines += 1
                if lines % LINES_AT_ONCE == 0:
                    process_log.drain(DRAIN_S)
        process_log.logger.info("configuration_of", of=name, value=plain)
    process_log.drain(DRAIN_S)


def _plain(value: Any) -> Any:
    """Data that JSON knows. Fields that hold secrets are those that do not show in `repr`."""
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    if isinstance(value, (tuple, list)):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in dataclasses.fields(value) if one.repr}
    return value
