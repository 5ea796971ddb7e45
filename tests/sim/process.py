"""The VRRP process of a simulated machine: the real `Service`, with all that it opens replaced by the machine's.

Everything that happens in it goes through `Process.turn`: it waits while the machine is frozen, does not happen when
the process is dead, may be cut short by SIGKILL, and is looked at by the machine's watcher afterwards.
"""

from __future__ import annotations

import collections
import errno
import functools
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from pyhad.common.blackbox import BlackBox
from pyhad.common.config.model import VirtualAddress, VrrpDocument, VrrpInstance
from pyhad.common.config.model.vmac import Firewall
from pyhad.common.errors import KernelError
from pyhad.common.loop import Timer
from pyhad.common.messages import StandbyOrdered
from pyhad.common.scripts.orders import Check, Ended, FileRead, Follow, TimedOut
from pyhad.vrrp_proc.core.events import FOREVER_NS
from pyhad.vrrp_proc.core.firewall import make_rules
from pyhad.vrrp_proc.interface_port import InterfacePort
from pyhad.vrrp_proc.kernel.links import Changes, Links
from pyhad.vrrp_proc.kernel.netlink import Seen
from pyhad.vrrp_proc.ports import Ports
from pyhad.vrrp_proc.service import Service
from pyhad.vrrp_proc.wire.mailing import Mailing

if TYPE_CHECKING:
    from tests.sim.machine import Machine

Receiving = frozenset[tuple[int, str, bool]]
SCRIPT_NS = 20_000_000
FINISH_NS = 2_000_000
WALL_NS = 1_700_000_000_000_000_000


class Killed(BaseException):
    """SIGKILL in the middle of something. No `except Exception` of the service may stop it."""


class Process:
    """One life of the service."""

    def __init__(self, machine: Machine, box: BlackBox) -> None:
        self.machine = machine
        self.world = machine.world
        self.is_alive = True
        self.is_stopping = False
        self.queues: dict[tuple[str, int], collections.deque[bytes]] = {}
        """Frames that wait in receiving sockets, by interface and family."""
        self.said: collections.Counter[str] = collections.Counter()
        self.loop = _Loop(self)
        self.scripts = _Scripts(self)
        options = SimpleNamespace(release_foreign_vips=False, keep_vips_at_exit=False, log_addresses=False)
        runtime: Any = SimpleNamespace(
            loop=self.loop, logger=_Log(self), counters=collections.Counter(), log=SimpleNamespace(dropped=0),
            context=SimpleNamespace(options=options, box=box, log=SimpleNamespace(daemon="")),
            path=lambda name: name, finish=self._finish, on_stop=self._finish,
        )  # fmt: skip
        self.runtime = runtime
        outside: Any = _Outside(self)
        scripts: Any = self.scripts
        self.service = Service(runtime, scripts, outside)
        self.service._world.wall_ns = lambda: WALL_NS + self.world.now_ns + machine.wall_offset_ns

    # ---------------------------------------------------------------------------------------------- turns

    def turn(self, what: Callable[[], object]) -> None:
        """Let it happen, now or when the machine thaws."""
        if not self.is_alive:
            return
        if self.machine.is_frozen:
            self.world.at(self.machine.frozen_until_ns, self.turn, what)
            return
        try:
            what()
        except Killed:
            self.world.disturb(f"{self.machine.name} is killed in the middle")
            self.machine.ended(whole=False)
            return
        if self.is_alive:
            self.machine.watch(self.machine)

    def burn(self) -> None:
        """Something is about to be done to the outside."""
        machine = self.machine
        if machine.fuse is not None:
            if machine.fuse <= 0:
                machine.fuse = None
                raise Killed
            machine.fuse -= 1

    def begin(self, document: VrrpDocument) -> None:
        """The first document."""
        self.turn(functools.partial(self.service.start, document))

    def reload(self, document: VrrpDocument) -> None:
        """Another one."""
        self.turn(functools.partial(self._reload, document))

    def _reload(self, document: VrrpDocument) -> None:
        if not self.is_stopping:
            self.service.reload(document)

    def stop(self) -> None:
        """An orderly end is wanted."""
        self.turn(self._stop)

    def _stop(self) -> None:
        if not self.is_stopping:
            self.is_stopping = True
            self.runtime.on_stop()

    def stand_by(self, name: str, for_ns: int | None) -> None:
        """An operator holds routers back, 0: for ever; None: not any more."""
        order = StandbyOrdered(ticket=1, name=name, standby=for_ns is not None, for_ns=for_ns or 0)
        assert for_ns is None or for_ns < FOREVER_NS
        self.turn(functools.partial(self.service._stand_by, order))

    def _finish(self, _code: int = 0) -> None:
        if self.is_alive:
            self.world.disturb(f"{self.machine.name} has stopped")
            self.machine.ended(whole=True)

    # ----------------------------------------------------------------------------------------- what comes in

    def hear(self, seen: tuple[Seen, ...]) -> None:
        """The kernel's notification."""
        self.turn(functools.partial(self._hear, seen))

    def _hear(self, seen: tuple[Seen, ...]) -> None:
        changes = Changes()
        for one in seen:
            self.service._links.take(one, changes)
        if changes:
            self.service._links_changed(changes)

    def receive(self, interface: str, frame: bytes) -> None:
        """A frame waits in the socket; it is read in the next turn, unless somebody reads before."""
        queue = self.queues.get((interface, 6 if frame[0] >> 4 == 6 else 4))
        if queue is not None:
            queue.append(frame)
            self.turn(functools.partial(self._read, (interface, 6 if frame[0] >> 4 == 6 else 4)))

    def _read(self, key: tuple[str, int]) -> None:
        port = self.service._ports._open.get(key)
        if port is not None and self.queues.get(key):
            port.read()

    def file_changed(self, name: str) -> None:
        """A tracked file was written."""
        self.turn(functools.partial(self.scripts.tell_file, name))


class _Loop:
    """The loop's timers on the virtual clock. Descriptors are nobody's here."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._world = process.world

    def now_ns(self) -> int:
        return self._world.now_ns

    def at(self, at_ns: int, action: Callable[[], None]) -> Timer:
        timer = Timer(at_ns, action)
        lateness_ns = self._process.machine.lateness_ns
        late_ns = int(self._world.random.random() * lateness_ns) if lateness_ns else 0
        self._world.at(max(at_ns, self._world.now_ns) + late_ns, self._due, timer)
        return timer

    def after(self, delay_ns: int, action: Callable[[], None]) -> Timer:
        return self.at(self._world.now_ns + delay_ns, action)

    def every(self, period_ns: int, action: Callable[[], None]) -> None:
        """The collector of garbage: not here."""

    def watch(self, fd: int, action: Callable[[int], None], events: int = 1) -> None:
        """Nothing is ever ready by itself."""

    def unwatch(self, fd: int) -> None:
        """See `watch`."""

    def _due(self, timer: Timer) -> None:
        if timer.action is not None:
            self._process.turn(functools.partial(self._run, timer))

    def _run(self, timer: Timer) -> None:
        action, timer.action = timer.action, None
        if action is not None:
            action()


class _Log:
    """Counts what is said; prints it where the world is traced."""

    def __init__(self, process: Process, **bound: object) -> None:
        self._process, self._bound = process, bound

    def bind(self, **bound: object) -> _Log:
        return _Log(self._process, **(self._bound | bound))

    def info(self, event: str, **fields: object) -> None:
        process = self._process
        process.said[event] += 1
        if process.world.trace is not None:
            words = " ".join(f"{name}={value}" for name, value in (self._bound | fields).items())
            process.world.say(f"{process.machine.name}: {event} {words}")

    warning = error = info


class _Scripts:
    """The script helper: ends scripts as the machine has it, reads its files."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._files: tuple[str, ...] = ()
        self.on_ended: Callable[[Ended], None] = lambda answer: None
        self.on_timed_out: Callable[[TimedOut], None] = lambda answer: None
        self.on_file: Callable[[FileRead], None] = lambda answer: None
        self.on_fifo: Callable[[Any, int], None] = lambda answer, descriptor: None
        self.on_ledger: Callable[[int], None] = lambda descriptor: None

    def send(self, order: object, descriptor: int = -1) -> None:
        process = self._process
        if isinstance(order, Check):
            good = process.machine.scripts.get(order.program.argv[0], True)
            answer = Ended(ticket=order.ticket, status=0 if good else 1)
            process.world.at(process.world.now_ns + SCRIPT_NS, self._end, answer)
        elif isinstance(order, Follow):
            self._files = tuple(file.name for file in order.files)
            for name in self._files:
                process.world.at(process.world.now_ns + SCRIPT_NS, process.file_changed, name)

    def _end(self, answer: Ended) -> None:
        self._process.turn(functools.partial(self.on_ended, answer))

    def tell_file(self, name: str) -> None:
        if name in self._files:
            self.on_file(FileRead(name=name, value=self._process.machine.files.get(name, 0)))

    def wait(self, enough: Callable[[], bool], most_ns: int) -> None:
        for name in self._files:
            self.tell_file(name)

    def finish(self, then: Callable[[], None]) -> None:
        self._process.loop.after(FINISH_NS, then)


class _Route:
    """Orders to the machine's kernel."""

    def __init__(self, process: Process) -> None:
        self.refused = 0
        self._process = process
        self._sequence = 0

    def next_sequence(self) -> int:
        self._sequence += 1
        return self._sequence

    def order(self, messages: list[tuple[int, bytes]]) -> dict[int, int]:
        if messages:
            self._process.burn()
        return {sequence: self._process.machine.order(message) for sequence, message in messages}

    def tell(self, messages: bytes) -> int:
        """Leases: this kernel forgets nobody."""
        return 0


class _Monitor:
    """The picture of links; news come by `Process.hear`."""

    def __init__(self, process: Process) -> None:
        self.links = Links()
        self.overruns = self.refused = 0
        self.links.replace(*process.machine.dump(), Changes())

    def fileno(self) -> int:
        return -1

    def read(self, events: int = 0) -> None:
        """See `Process.hear`."""

    def set_receive_buffer(self, buffer: object) -> None:
        """Nothing is lost here."""


class _Outside:
    """As `pyhad.vrrp_proc.outside.Outside`."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def route(self) -> _Route:
        return _Route(self._process)

    def monitor(self, route: object, on_change: object) -> _Monitor:
        return _Monitor(self._process)

    def ports(self, links: Links) -> Ports:
        runtime = self._process.runtime
        ports = Ports(links, runtime.loop, runtime.logger, runtime.counters)
        kind: Any = functools.partial(_Port, self._process)
        ports.port = kind
        return ports

    def announcer(self, links: Links) -> Any:
        return SimpleNamespace(announce=self._announce)

    def _announce(self, addresses: Iterable[VirtualAddress], repeat: int) -> int:
        self._process.burn()
        return repeat * len(tuple(addresses))

    def firewall(self) -> Any:
        return _Firewall()

    def reporter(self, routers: object, counters: object, on_standby: object, readings: object) -> Any:
        return SimpleNamespace(generation=0, changed=lambda: None)


class _Firewall:
    """The rules as text, where the kernel would have them."""

    rules = ""

    def configure(self, settings: Firewall) -> None:
        self._settings = settings

    def fit(self, instances: Iterable[VrrpInstance], indices: dict[str, int]) -> None:
        self.rules = make_rules(self._settings, instances, indices).text

    def close(self) -> None:
        self.rules = ""


class _Socket:
    """Both ends of an interface's sockets."""

    def __init__(self, process: Process, port: _Port) -> None:
        self._process, self._port = process, port
        self.errors = self.packets = 0
        self.is_at_link = False
        machine = process.machine
        self._card = machine.cards.get(port.name)
        if self._card is None or self._card.index != port.index:
            raise KernelError("socket", errno.ENODEV)

    def fileno(self) -> int:
        return -1

    def send(self, packet: bytes | bytearray, destination: str) -> int:
        self._process.burn()
        card, machine = self._card, self._process.machine
        if card is None or machine.cards.get(card.interface) is not card or not card.link_up:
            return errno.ENETDOWN
        card.lan.send(card, bytes(packet))
        return 0

    def send_all(self, mailing: Mailing) -> list[tuple[int, int]]:
        numbers = [self.send(packet, "") for packet in mailing.packets()]
        return [(place, number) for place, number in enumerate(numbers) if number]

    def read(self, _events: int = 0) -> int:
        queue = self._process.queues.get((self._port.name, self._port.family))
        count = 0
        while queue:
            frame = queue.popleft()
            count += 1
            if self._port.hears(frame):
                self._port.take_frame(frame)
        return count

    def close(self) -> None:
        """What waits is lost with the port, see `_Port.close`."""


class _Port(InterfacePort):
    """The real port on simulated sockets."""

    def __init__(self, process: Process, interface: Any, family: int, *rest: Any) -> None:
        self._process, self.family = process, family
        super().__init__(interface, family, *rest)

    def _open_sender(self, family: int) -> Any:
        return _Socket(self._process, self)

    def _open_receivers(self, family: int) -> None:
        receiver: Any = _Socket(self._process, self)
        self._receivers.append(receiver)
        self._process.queues.setdefault((self.name, family), collections.deque())

    def hears(self, frame: bytes) -> bool:
        """The filter in the kernel: wanted VRIDs, what is sent to a group that was joined or to the machine."""
        at = 40 if self.family == 6 else 20 if frame[9] == 112 else 44
        return len(frame) > at + 1 and frame[at + 1] in self.instances

    def take_frame(self, frame: bytes) -> None:
        """As it comes from a receiving socket."""
        (self._take6 if self.family == 6 else self._take)(frame)
