"""The real parent with toy children and a toy compiler: `python -m tests.lab.toy_daemon OPTION...`.

The "configuration" is a list of words: `vrrp`, `checker` say who is needed, `down=MS` the master-down interval,
`wait=MS` child_wait_time, `broken` an error, `crash` kills the compiler, `quits=STATUS` makes the VRRP child end
with that status before it is ready, `stubborn` makes it ignore every wish to stop, `dies` end by itself at once.
"""

from __future__ import annotations

import os
import sys

from pyhad.common import codec, lifeline
from pyhad.common.config.model import (
    SCHEMA,
    CheckerDocument,
    Configuration,
    ControlDocument,
    DataPlane,
    IpvsDocument,
    ParentDocument,
    VrrpDocument,
)
from pyhad.common.confirmation import ConfirmationNotice
from pyhad.common.runtime import ChildContext, Runtime
from pyhad.common.states import ProcessName
from pyhad.parent.compiler import Compiled
from pyhad.parent.main import run
from pyhad.parent.options import Options
from pyhad.parent.rooms import Room

MODULE = "tests.lab.toy_daemon"
DOCUMENTS: dict[ProcessName, type] = {
    ProcessName.CONTROL: ControlDocument,
    ProcessName.IPVS: IpvsDocument,
    ProcessName.CHECKER: CheckerDocument,
    ProcessName.VRRP: VrrpDocument,
}


def main(context: ChildContext) -> int:
    """A toy child: says what it was given, counts its lives in the black box."""
    as_root = context.name in (ProcessName.VRRP, ProcessName.IPVS)
    runtime = Runtime(context, as_root=as_root, keep=frozenset())
    document = codec.decode(DOCUMENTS[context.name], context.document)
    words = document.router_id.split() if isinstance(document, VrrpDocument) else []
    lives = len(context.box.load()) + 1
    context.box.put(b"%016d" % lives, b"x")
    for word in words:
        if word.startswith("quits="):
            return int(word.removeprefix("quits="))
    if "stubborn" in words:
        runtime.on_stop = lambda: None
    if "dies" in words:
        runtime.loop.after(1_000_000, lambda: os._exit(3))
    runtime.on_document = lambda content: _take(runtime, content)
    if context.name is ProcessName.CONTROL:
        runtime.on_confirmation = lambda word, content: _confirmation(runtime, lives, word, content)
        wish = os.path.join(os.path.dirname(context.run_dir), "wish")
        runtime.loop.every(20_000_000, lambda: _wish(runtime, wish))
    runtime.on_report = lambda ok, report: runtime.logger.info("toy_report", ok=ok, report=report)
    runtime.logger.info(
        "toy_started",
        generation=document.generation,
        lives=lives,
        uid=os.getuid(),
        descriptors=_descriptors(),
        listeners=sorted(context.listeners),
        icmp=[context.icmp4 >= 0, context.icmp6 >= 0],
        environment=[name for name in os.environ if name.startswith(("NOTIFY_", "WATCHDOG_"))],
    )
    runtime.ready()
    return runtime.run()


def _take(runtime: Runtime, content: bytes) -> None:
    document = codec.decode(DOCUMENTS[runtime.name], content)
    words = document.router_id if isinstance(document, VrrpDocument) else ""
    runtime.logger.info("toy_document", generation=document.generation, words=words)


def _confirmation(runtime: Runtime, lives: int, word: bytes, content: bytes) -> None:
    state = str(codec.decode(ConfirmationNotice, content).state) if word == lifeline.CONFIRMATION else ""
    runtime.logger.info("toy_confirmation", lives=lives, word=word.decode(), state=state)


def _wish(runtime: Runtime, path: str) -> None:
    """What an operator would ask: a word in a file, said once by each life of the control process."""
    try:
        with open(path, "rb") as file:
            word = file.read()
    except FileNotFoundError:
        return
    if word != _said.get("word"):
        _said["word"] = word
        lifeline.say(runtime.context.lifeline, word)


_said: dict[str, bytes] = {}


def _descriptors() -> list[str]:
    """What this process has open, without ZeroMQ's and the loop's own."""
    found = []
    for entry in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink(f"/proc/self/fd/{entry}").split(":")[0])
        except OSError:
            pass
    return sorted(found)


def compile_words(options: Options, generation: int) -> Compiled:
    """The toy compiler."""
    with open(options.config, encoding="utf-8") as file:
        words = file.read().split()
    if "broken" in words:
        message = f"{options.config}:1:1: this is broken"
        return Compiled(
            configuration=None,
            report=f"{message}\n",
            exit_status=5 if options.config_test else 2,
            errors=1,
            first_error=message,
        )
    if "crash" in words:
        os.abort()
    numbers = dict(word.split("=") for word in words if "=" in word)
    parent = ParentDocument(
        schema=SCHEMA,
        generation=generation,
        vrrp="vrrp" in words,
        checker="checker" in words,
        down_interval_ns=int(numbers.get("down", 0)) * 1_000_000,
        child_wait_ns=int(numbers.get("wait", 5000)) * 1_000_000,
    )
    configuration = Configuration(
        parent=parent,
        vrrp=VrrpDocument(schema=SCHEMA, generation=generation, router_id=" ".join(words), instances=()),
        checker=CheckerDocument(schema=SCHEMA, generation=generation, servers=()),
        ipvs=IpvsDocument(schema=SCHEMA, generation=generation, data_plane=DataPlane.AUTO, services=()),
        control=ControlDocument(
            schema=SCHEMA, generation=generation, router_id="", files=(options.config,), instances=(), services=()
        ),
    )
    return Compiled(configuration=configuration, report=f"uid {os.getuid()}\n", exit_status=0)


def rooms() -> tuple[Room, ...]:
    """All four children are toys."""
    return tuple(Room(name=name, module=MODULE) for name in DOCUMENTS)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], rooms=rooms(), compile_files=compile_words))
