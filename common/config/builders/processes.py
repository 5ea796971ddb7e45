"""`vrrp_track_process` and the names of BFD sessions to the model, with weight and sense. Looks at no process."""

from __future__ import annotations

from pyhad.common.config.complaints import Complaints
from pyhad.common.config.model.tracking import ANY_NUMBER, ParamMatch, ReceiveBuffer, TrackProcess
from pyhad.common.config.source import Trouble
from pyhad.common.config.tree import Statement


def build_processes(root: Statement, complaints: Complaints) -> dict[str, tuple[TrackProcess, int, bool]]:
    """Each process to track by name."""
    built: dict[str, tuple[TrackProcess, int, bool]] = {}
    for block in root.every("vrrp_track_process"):
        name, command = block.text(), block.first("process")
        if command is None or not command.values or name in built:
            if command is not None or not block.given("process"):
                why = "the first of that name counts" if name in built else "it names no process"
                complaints.warning(f"vrrp_track_process '{name}' is ignored: {why}", block.at)
            continue
        argv = tuple(command.text(index) for index in range(len(command.values)))
        built[name] = (_process(block, name, argv, complaints), *weight_of(block))
    return built


def _process(block: Statement, name: str, argv: tuple[str, ...], complaints: Complaints) -> TrackProcess:
    both_ns = block.number_of("delay", 0)
    weight, is_reversed = weight_of(block)
    most = block.number_of("quorum_max", ANY_NUMBER)
    least = block.number_of("quorum", min(1, most))
    found = block.last("quorum")
    if found is not None and least > most:
        message = f"quorum {least} is above quorum_max {most}: no number of processes would do"
        complaints.error(message, found.at, trouble=Trouble.INVALID_VALUE)
    return TrackProcess(
        name=name,
        argv=argv,
        full_command=block.has("full_command"),
        param_match=_match(block, argv),
        least=least,
        most=most,
        fork_delay_ns=block.number_of("fork_delay", both_ns),
        terminate_delay_ns=block.number_of("terminate_delay", both_ns),
        weight=-weight if is_reversed else weight,
    )


def _match(block: Statement, argv: tuple[str, ...]) -> ParamMatch:
    """Parameters that are named are compared, and a bare `param_match` says that there are to be none."""
    found = block.last("param_match")
    if found is not None:
        return ParamMatch(found.text()) if found.values else ParamMatch.EXACT
    return ParamMatch.EXACT if len(argv) > 1 else ParamMatch.NONE


def build_sessions(root: Statement) -> dict[str, tuple[int, bool]]:
    """Each `bfd_instance` that tells the VRRP process, by name."""
    return {
        block.text(): weight_of(block)
        for block in reversed(list(root.every("bfd_instance")))
        if block.has("vrrp") or not block.has("checker")
    }


def build_watch(settings: Statement) -> ReceiveBuffer:
    """The receive buffer of the kernel's process events; what is written is forced only if it says so."""
    size = settings.number_of("process_monitor_rcv_bufs", 0)
    forced = settings.switch("process_monitor_rcv_bufs_force", default=not size)
    return ReceiveBuffer(size_bytes=size, beyond_limit=forced)


def weight_of(block: Statement) -> tuple[int, bool]:
    """`weight N [reverse]` of a block; 0 when there is none."""
    found = block.last("weight")
    return (0, False) if found is None else (found.number(), "reverse" in found.options)
