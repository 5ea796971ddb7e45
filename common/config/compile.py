"""From a file name to one document per process: read, parse, build, check. Touches no network and no kernel.

The only entry for start, reload, config test and plan. It runs in a short-lived child, so it may be slow or die.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pyhad.common.codec import encode
from pyhad.common.config.builders.alerts import AlertBuilder
from pyhad.common.config.builders.balancing import NO_BALANCING, Balancing, build_balancing
from pyhad.common.config.builders.checker import build_checker, left_to_vrrp, once_initialized, without_services
from pyhad.common.config.builders.election import down_interval_ns
from pyhad.common.config.builders.globals import Globals, build_globals
from pyhad.common.config.builders.paths import build_paths
from pyhad.common.config.builders.process import build_process, with_process
from pyhad.common.config.builders.scheduling import build_scheduling
from pyhad.common.config.builders.scripts import ScriptBuilder
from pyhad.common.config.builders.services import Services, build_services
from pyhad.common.config.builders.tls import build_tls
from pyhad.common.config.builders.tracking import Tracking, build_tracking
from pyhad.common.config.builders.vmac import with_vmacs
from pyhad.common.config.builders.vrrp import build_instances
from pyhad.common.config.complaints import Complaints
from pyhad.common.config.diagnostics import sorted_by_place
from pyhad.common.config.grammar import parse
from pyhad.common.config.model import (
    SCHEMA,
    CheckerDocument,
    Configuration,
    ControlDocument,
    IpvsDocument,
    ParentDocument,
    VrrpDocument,
    VrrpInstance,
)
from pyhad.common.config.reader import ReaderOptions, Reading, read, read_text
from pyhad.common.config.secrets import scrub
from pyhad.common.config.source import Diagnostic, Location, Severity, Trouble
from pyhad.common.config.tidiness import check_tidiness
from pyhad.common.config.tree import Statement
from pyhad.common.records import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileOptions:
    """What the command line and the machine say.

    `config_id` decides `@ID` lines and is the `router_id` of a file that names none. `interfaces` are those that exist,
    None when nobody looked. `vrrp` and `checker` are False where -C or -P leaves that half out; both are still checked.
    """

    config_id: str
    include_all: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    random_seed: int | None = None
    interfaces: frozenset[str] | None = None
    generation: int = 1
    vrrp: bool = True
    checker: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileResult:
    """`configuration` is None if and only if one of the diagnostics is an ERROR."""

    configuration: Configuration | None
    diagnostics: tuple[Diagnostic, ...]
    files: tuple[str, ...]
    root: Statement
    """The tree behind it, for what wants to point at lines: linting, `config show`."""


def compile_configuration(pattern: str, options: CompileOptions) -> CompileResult:
    """Compile what `-f PATTERN` names. Never raises for what the files hold."""
    return _compile(read(pattern, _reader_options(options)), pattern, options)


def compile_text(text: str, name: str, options: CompileOptions) -> CompileResult:
    """Compile `text` as if it were the file `name`."""
    return _compile(read_text(text, name, _reader_options(options)), name, options)


def _reader_options(options: CompileOptions) -> ReaderOptions:
    return ReaderOptions(
        config_id=options.config_id,
        include_all=options.include_all,
        environment=options.environment,
        random_seed=options.random_seed,
    )


def _compile(reading: Reading, pattern: str, options: CompileOptions) -> CompileResult:
    complaints = Complaints()
    files, lexical = reading.files, reading.diagnostics
    root = parse(reading.lines, complaints)
    del reading  # the lines of braces are a good part of a large configuration
    shared = build_globals(root, options.config_id, options.environment.get("CREDENTIALS_DIRECTORY", ""))
    scripts = ScriptBuilder(root, complaints)
    alerts = AlertBuilder(scripts=scripts, complaints=complaints)
    instances = with_vmacs(root, build_instances(root, shared, complaints), shared, complaints)
    placed = build_paths(root, instances, shared, complaints)
    tracking = replace(build_tracking(root, placed.instances, alerts, complaints), statics=placed.statics)
    instances = tracking.instances
    services = build_services(root, shared, alerts, complaints)
    balancing = build_balancing(root, {one.name: one.vrid for one in instances}, complaints)
    checker = build_checker(shared, services, alerts, build_tls(root, complaints), options.generation)
    settings = build_process(root, scripts, complaints)
    processes = build_scheduling(root, complaints)
    check_tidiness(root, complaints)
    _look_for_interfaces(root, instances, options.interfaces, complaints)
    found = _merge(lexical, complaints.all())
    if not files and not any(one.severity is Severity.ERROR for one in found):
        missing = Diagnostic(
            Severity.ERROR, Trouble.FILE_NOT_FOUND, f"no configuration: {pattern}", Location(pattern, 0)
        )
        found = (missing, *found)
    diagnostics = tuple(sorted_by_place(scrub(found), files))
    failed = any(one.severity is Severity.ERROR for one in diagnostics)
    warnings = sum(one.severity is Severity.WARNING for one in diagnostics)
    configuration = None
    if not failed:
        configuration = _documents(shared, tracking, services, balancing, checker, files, warnings, options)
        configuration = with_process(configuration, settings, root)
        configuration = replace(configuration, parent=replace(configuration.parent, processes=processes))
    return CompileResult(configuration=configuration, diagnostics=diagnostics, files=files, root=root)


def _merge(lexical: tuple[Diagnostic, ...], grammatical: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
    """Both lists, less what is said twice: one wrong brace is seen by the reader's count and by the grammar."""
    missing_open = sum(one.trouble is Trouble.BRACE and "missing '{'" in one.message for one in grammatical)
    kept: list[Diagnostic] = []
    for one in lexical:
        if one.trouble is Trouble.BRACE and "closes nothing" in one.message and missing_open:
            missing_open -= 1
        else:
            kept.append(one)
    unclosed = {(one.at.file, one.at.line) for one in lexical if one.trouble is Trouble.QUOTE}
    undefined = {(one.at.file, one.at.line, one.at.column) for one in lexical if "is not defined" in one.message}
    counted = any(one.trouble is Trouble.BRACE and "never closed" in one.message for one in kept)
    return (
        *kept,
        *(
            one
            for one in grammatical
            if not (counted and one.trouble is Trouble.BRACE and "missing '}'" in one.message)
            and not (one.trouble is Trouble.MISSING_PARAMETER and (one.at.file, one.at.line) in unclosed)
            and (one.at.file, one.at.line, one.at.column) not in undefined
        ),
    )


def _look_for_interfaces(
    root: Statement, instances: tuple[VrrpInstance, ...], existing: frozenset[str] | None, complaints: Complaints
) -> None:
    """An interface that is not there makes its instance wait in FAULT: a warning, not an error."""
    if existing is None:
        return
    blocks = {block.text(): block for block in root.every("vrrp_instance")}
    for instance in instances:
        held = (*instance.addresses, *instance.excluded_addresses)
        made = {vmac.name for vmac in instance.vmacs}
        bases = (vmac.base for vmac in instance.vmacs)
        devices = (one.interface for one in held)
        for name in dict.fromkeys((instance.interface, instance.vrf, *instance.tracked_interfaces, *bases, *devices)):
            if not name or name in existing or name in made:
                continue
            block = blocks[instance.name]
            own = block.last({instance.interface: "interface", instance.vrf: "vrf"}.get(name, ""))
            complaints.warning(
                f"interface {name} does not exist: vrrp_instance '{instance.name}' stays in FAULT until it appears",
                (own or block).at,
                hint=f"this machine has: {', '.join(sorted(existing)[:10])}",
                trouble=Trouble.BAD_INTERFACE,
            )


def _documents(
    shared: Globals,
    tracking: Tracking,
    services: Services,
    balancing: Balancing,
    checker: CheckerDocument,
    files: tuple[str, ...],
    warnings: int,
    options: CompileOptions,
) -> Configuration:
    generation = options.generation
    if not options.vrrp:
        tracking = Tracking()
    instances = tracking.instances
    if not options.checker:
        services, balancing, checker = Services((), ()), NO_BALANCING, without_services(checker)
    tracking = left_to_vrrp(tracking, checker)
    return Configuration(
        parent=_parent_document(shared, tracking, services, balancing, warnings, generation),
        vrrp=_vrrp_document(shared, tracking, balancing, checker, generation),
        checker=once_initialized(checker, tracking),
        ipvs=_ipvs_document(shared, services, balancing, generation),
        control=_control_document(shared, instances, services, files, generation),
    )


def _vrrp_document(
    shared: Globals, tracking: Tracking, balancing: Balancing, checker: CheckerDocument, generation: int
) -> VrrpDocument:
    return VrrpDocument(
        schema=SCHEMA,
        generation=generation,
        router_id=shared.router_id,
        instances=tracking.instances,
        startup_delay_ns=shared.startup_delay_ns,
        delay_after_boot_ns=shared.delay_after_boot_ns,
        announce_limits=tracking.announce_limits,
        monitor_buffer=shared.monitor_buffer,
        scripts=tracking.scripts,
        files=tracking.files,
        processes=tracking.processes,
        process_watch=tracking.process_watch,
        bfd_sessions=tracking.bfd_sessions,
        groups=tracking.groups,
        fifos=tracking.fifos,
        fifo_states_on_reload=tracking.fifo_states_on_reload,
        interface_delays=tracking.interface_delays,
        mail=checker.mail,
        mails_faults=shared.mails_faults,
        script_security=tracking.script_security,
        keep_script_links=tracking.keep_script_links,
        statics=tracking.statics,
        lookout=tracking.lookout,
        child_wait_ns=shared.child_wait_ns,
        sync_instance=balancing.sync.instance if balancing.sync is not None else "",
        daemon=shared.daemon,
        firewall=shared.vmacs.firewall,
    )


def _ipvs_document(shared: Globals, services: Services, balancing: Balancing, generation: int) -> IpvsDocument:
    return IpvsDocument(
        schema=SCHEMA,
        generation=generation,
        data_plane=shared.data_plane,
        services=services.virtual_servers,
        flush_at_start=shared.flush_at_start,
        flush_at_stop=balancing.flush_at_stop,
        timeouts=balancing.timeouts,
        sync=balancing.sync,
        marking=balancing.marking,
    )


def _parent_document(
    shared: Globals,
    tracking: Tracking,
    services: Services,
    balancing: Balancing,
    warnings: int,
    generation: int,
) -> ParentDocument:
    return ParentDocument(
        schema=SCHEMA,
        generation=generation,
        vrrp=bool(tracking.instances or tracking.statics),
        checker=bool(services.virtual_servers) or balancing.needs_owner,
        down_interval_ns=down_interval_ns(tracking.instances),
        child_wait_ns=shared.child_wait_ns,
        warnings=warnings,
        daemon=shared.daemon,
    )


def _control_document(
    shared: Globals,
    instances: tuple[VrrpInstance, ...],
    services: Services,
    files: tuple[str, ...],
    generation: int,
) -> ControlDocument:
    return ControlDocument(
        schema=SCHEMA,
        generation=generation,
        router_id=shared.router_id,
        files=files,
        instances=tuple(instance.name for instance in instances),
        services=tuple(service.id for service in services.virtual_servers),
    )


def encode_documents(configuration: Configuration) -> dict[str, bytes]:
    """One msgpack document per process, by the name of the process (`parent`, `vrrp`, `checker`, `ipvs`, `control`)."""
    return {
        "parent": encode(configuration.parent),
        "vrrp": encode(configuration.vrrp),
        "checker": encode(configuration.checker),
        "ipvs": encode(configuration.ipvs),
        "control": encode(configuration.control),
    }


EXIT_GOOD, EXIT_CONFIG, EXIT_INTERFACE, EXIT_FINDINGS, EXIT_NO_CONFIG = 0, 2, 4, 5, 6
_NOT_FOUND = (Trouble.FILE_NOT_FOUND, Trouble.INCLUDE)


def exit_status(result: CompileResult, testing: bool) -> int:
    """Exit status of the daemon's start, or of a config test (grammar.md section 11).

    Other than keepalived, a config test of a missing file ends with 6, not 0 (CLI-37). Notes change nothing.
    """
    said = [one for one in result.diagnostics if one.severity is not Severity.NOTE]
    errors = [one for one in said if one.severity is Severity.ERROR]
    if any(one.trouble in _NOT_FOUND for one in errors):
        return EXIT_NO_CONFIG
    if not testing:
        return EXIT_CONFIG if errors else EXIT_GOOD
    if any(one.trouble is Trouble.MISSING_PARAMETER for one in errors):
        return EXIT_CONFIG
    if any(one.trouble is Trouble.SECURITY for one in said):
        return EXIT_NO_CONFIG
    if not said:
        return EXIT_GOOD
    return EXIT_INTERFACE if all(one.trouble is Trouble.BAD_INTERFACE for one in said) else EXIT_FINDINGS
