"""What the file says about the daemon itself to the model. Runs no script, opens no file."""

from __future__ import annotations

import functools
import re
import stat
from dataclasses import replace

from pyhad.common.config.builders.globals import merged_globals
from pyhad.common.config.builders.scripts import ScriptBuilder
from pyhad.common.config.complaints import Complaints
from pyhad.common.config.model import Configuration, VrrpDocument, VrrpInstance
from pyhad.common.config.model.process import AroundScript, DaemonSettings, DumpPlaces, InstanceWords
from pyhad.common.config.source import Diagnostic, Severity, Trouble
from pyhad.common.config.tree import Statement
from pyhad.common.states import ProcessName

SECOND_NS = 1_000_000_000
HIDDEN = b"********"
METRICS_PORT = 9650
_ABSENT = {"snmp": "SNMP agent", "dbus": "D-Bus interface"}
_INSTEAD = "pyhad_metrics serves metrics, pyhadctl status -j everything"
_NAMES = {
    "process_name": (ProcessName.PARENT, ""),
    "vrrp_process_name": (ProcessName.VRRP, "keepalived_vrrp"),
    "checker_process_name": (ProcessName.CHECKER, "keepalived_lvs"),
}
"""Keyword -> (whose name, name by `process_names`)."""
_LETTERS = {"R": 4, "W": 2, "X": 1}
_SHIFT = {"USR": 6, "GRP": 3, "OTH": 0}
_CLASS = {"U": stat.S_IRWXU, "G": stat.S_IRWXG, "O": stat.S_IRWXO}


def build_process(root: Statement, scripts: ScriptBuilder, complaints: Complaints) -> DaemonSettings:
    """All of it; of what stands twice the last counts."""
    one = merged_globals(root)
    _say_absent(one, complaints)
    names = {
        str(process): one.text_of(word, default if one.has("process_names") else "")
        for word, (process, default) in _NAMES.items()
    }
    reload_file = one.last("reload_file")
    ipvs_namespace = root.last("net_namespace_ipvs")
    return DaemonSettings(
        dumps=DumpPlaces(
            state=one.text_of("state_dump_file"),
            stats=one.text_of("stats_dump_file"),
            json=one.text_of("json_dump_file"),
            by_instance=one.has("data_use_instance"),
        ),
        umask=_umask(one.last("umask")),
        startup=_around(one, "startup_script", scripts),
        shutdown=_around(one, "shutdown_script", scripts),
        script_security=one.has("enable_script_security"),
        keep_script_links=one.has("use_symlink_paths"),
        process_names={process: name for process, name in names.items() if name not in ("", "pyhad")},
        reload_log=one.text_of("reload_check_config"),
        reload_file=None if reload_file is None else one.text_of("reload_file"),
        reload_time_file=one.text_of("reload_time_file"),
        reload_repeat=one.has("reload_repeat"),
        namespace=root.text_of("net_namespace"),
        ipvs_namespace=None if ipvs_namespace is None else root.text_of("net_namespace_ipvs"),
    )


def _say_absent(one: Statement, complaints: Complaints) -> None:
    """Services that keepalived has by build option, and pyhad has not: who asks for them should know."""
    for area, what in _ABSENT.items():
        asked = [child for child in one.children if child.keyword.area == area and child.name.startswith("enable_")]
        if asked:
            text = f"{asked[0].name} has no effect: pyhad has no {what}"
            complaints.diagnostics.append(Diagnostic(Severity.NOTE, Trouble.NOT_YET, text, asked[0].at, _INSTEAD))


def with_process(configuration: Configuration, settings: DaemonSettings, root: Statement) -> Configuration:
    """The documents of parent and control with what is in `settings`, and with what dumps tell."""
    one, vrrp = merged_globals(root), configuration.vrrp
    control = replace(
        configuration.control,
        vrrp=_without_secrets(vrrp) if vrrp.instances else None,
        words=_words(root, one, tuple(instance.name for instance in vrrp.instances)),
        json_version=one.number_of("json_version", 1),
        metrics_address=one.text_of("pyhad_metrics"),
        metrics_port=_port(one.last("pyhad_metrics")),
    )
    return replace(
        configuration,
        parent=replace(configuration.parent, settings=settings),
        ipvs=replace(configuration.ipvs, namespace=settings.ipvs_namespace),
        control=control,
    )


def _words(root: Statement, one: Statement, names: tuple[str, ...]) -> tuple[InstanceWords, ...]:
    blocks = {block.text(): block for block in root.every("vrrp_instance")}
    mails = one.switch("smtp_alert_vrrp", default=one.has("smtp_alert"))
    return tuple(_words_of(blocks[name], one, mails) for name in names)


def _words_of(block: Statement, one: Statement, mails: bool) -> InstanceWords:
    strict = block.switch("strict_mode", default=one.has("vrrp_strict"))
    return InstanceWords(
        name=block.text(),
        strict=strict,
        accept=block.switch("accept", default=not strict and not block.has("no_accept")),
        promote_secondaries=block.has("promote_secondaries"),
        smtp_alert=block.switch("smtp_alert", default=mails),
    )


def _without_secrets(document: VrrpDocument) -> VrrpDocument:
    """The same for a process that has no use for passwords and keys."""
    return replace(
        document,
        mail=None,
        instances=tuple(_without_secret(instance) for instance in document.instances),
    )


def _without_secret(instance: VrrpInstance) -> VrrpInstance:
    if instance.authentication_data:
        instance = replace(instance, authentication_data=HIDDEN)
    if instance.hmac is not None:
        keys = tuple(replace(key, secret=HIDDEN) for key in instance.hmac.keys)
        instance = replace(instance, hmac=replace(instance.hmac, keys=keys))
    return instance


def _port(found: Statement | None) -> int:
    if found is None:
        return 0
    return found.number(1) if len(found.values) > 1 else METRICS_PORT


def _umask(found: Statement | None) -> int | None:
    """Octal, or names of bits as in <sys/stat.h>."""
    if found is None or not found.values:
        return None
    text = "|".join(str(value) for value in found.values)
    if re.fullmatch("[0-7]+", text):
        return int(text, 8)
    return functools.reduce(lambda mask, name: mask | _bits(name), [name for name in text.split("|") if name], 0)


def _bits(name: str) -> int:
    """`IRUSR`, `IRWXG`."""
    if name[1:4] == "RWX":
        return _CLASS[name[4]]
    return _LETTERS[name[1]] << _SHIFT[name[2:]]


def _around(one: Statement, name: str, scripts: ScriptBuilder) -> AroundScript | None:
    program = scripts.program_of(one, name)
    if program is None:
        return None
    return AroundScript(program=program, timeout_ns=one.number_of(f"{name}_timeout", 10 * SECOND_NS))
