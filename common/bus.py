"""ZeroMQ in our loop: `Hub` (ROUTER, bound) and `Link` (DEALER, connected). The only file that imports zmq.

Sockets are driven by their descriptor, which is edge triggered: after every wake-up and every send they are
drained until EAGAIN. Everything is bounded; a frame that is not a message of the channel is counted, logged once
per peer and dropped. A hub adopts a listening unix socket that the parent opened, so its path outlives the process.
"""

from __future__ import annotations

import collections
import os
import socket
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import zmq

from pyhad.common.channels import Channel
from pyhad.common.codec import MAX_BYTES, Decoder, encode
from pyhad.common.errors import WireError
from pyhad.common.loop import Loop
from pyhad.common.messages import AtWork
from pyhad.common.records import dataclass

if TYPE_CHECKING:  # structlog alone would double the start-up time of pyhadctl
    from pyhad.common.log import FilteringBoundLogger

HIGH_WATER_MARK = 1000
DRAIN_AT_ONCE = 128
"""Messages taken in one go, so that a flood delays nothing else."""
MAX_MESSAGE_BYTES = MAX_BYTES
RECONNECT_MS = 5
RECONNECT_MAX_MS = 500
PEERS_REMEMBERED = 64
AT_WORK_S = 10.0
"""So long who asks waits for the next word of those who say that they are at it."""
_MONITOR_EVENT = struct.Struct("=H")
"""First field of a monitor's frame. `zmq.utils.monitor` would read it too, and bring all of asyncio with it."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end of a frame, as the kernel says (SO_PEERCRED)."""

    uid: int
    gid: int
    pid: int


class Context:
    """One ZeroMQ context per process, made after the fork."""

    def __init__(self) -> None:
        self.zmq: zmq.Context[zmq.Socket[bytes]] = zmq.Context(io_threads=1)

    def close(self) -> None:
        """Drop every socket and what they still hold, at once."""
        self.zmq.destroy(linger=0)


class _Endpoint:
    """What both kinds share: socket options, draining, strict decoding, counters."""

    def __init__(
        self,
        loop: Loop,
        context: Context,
        kind: int,
        logger: FilteringBoundLogger,
        decoder: Decoder,
        counters: collections.Counter[str],
        channel: Channel,
    ) -> None:
        self._loop = loop
        self._logger = logger
        self._decoder = decoder
        self._channel = channel
        self.counters = counters
        self._socket = context.zmq.socket(kind)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.SNDHWM, HIGH_WATER_MARK)
        self._socket.setsockopt(zmq.RCVHWM, HIGH_WATER_MARK)
        self._socket.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)
        self._complained: set[object] = set()

    def _open(self) -> None:
        self._fd = int(self._socket.getsockopt(zmq.FD))
        self._loop.watch(self._fd, self._drain)
        self._loop.after(0, self._drain)

    def _drain(self, _events: int = 0) -> None:
        """All that waits, but for a flood: then the rest after the other work of the loop."""
        for _ in range(DRAIN_AT_ONCE):
            if self._socket.closed:
                return
            try:
                frames = self._socket.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            except zmq.ZMQError as error:
                self._count_error(error)
                return
            self._take(frames)
        self._loop.after(0, self._drain)  # the descriptor is edge triggered: nobody else would wake us

    def _take(self, frames: list[Any]) -> None:
        raise NotImplementedError

    def _decode(self, frame: Any, who: object) -> Any:
        """The message, or None when it was refused."""
        try:
            return self._decoder.decode(frame.bytes)
        except WireError as error:
            self._refuse(who, str(error))
            return None

    def _refuse(self, who: object, reason: str) -> None:
        self.counters[f"{self._channel.name}_frames_refused"] += 1
        if who not in self._complained and len(self._complained) < PEERS_REMEMBERED:
            self._complained.add(who)
            self._logger.warning("frame_refused", channel=self._channel.name, peer=str(who), reason=reason)

    def _count_error(self, error: zmq.ZMQError) -> None:
        self.counters[f"{self._channel.name}_socket_errors"] += 1
        self._logger.error("bus_error", channel=self._channel.name, error=str(error))

    def _send(self, frames: list[bytes]) -> bool:
        try:
            self._socket.send_multipart(frames, zmq.NOBLOCK)
        except zmq.ZMQError:  # nobody there, or its queue is full: levels repair it later
            self.counters[f"{self._channel.name}_sends_dropped"] += 1
            self._look_again()
            return False
        self._look_again()
        return True

    def _look_again(self) -> None:
        """A send, done or refused, may have swallowed the edge that would have told of something to read."""
        if int(self._socket.getsockopt(zmq.EVENTS)) & int(zmq.POLLIN):
            self._loop.after(0, self._drain)

    def close(self) -> None:
        """Leave the loop and drop what was not sent."""
        self._loop.unwatch(self._fd)
        self._socket.close(linger=0)


class Hub(_Endpoint):
    """The bound end. `on_message(sender, peer, message)`; answer with `send(sender, message)`."""

    def __init__(
        self,
        loop: Loop,
        context: Context,
        channel: Channel,
        *,
        path: str,
        listener_fd: int,
        logger: FilteringBoundLogger,
        counters: collections.Counter[str],
        is_welcome: Callable[[Peer], bool],
        on_message: Callable[[bytes, Peer, Any], None],
    ) -> None:
        super().__init__(loop, context, zmq.ROUTER, logger, Decoder(channel.to_hub, hands_on=True), counters, channel)
        self._is_welcome = is_welcome
        self._on_message = on_message
        self._socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        self._socket.setsockopt(zmq.ROUTER_HANDOVER, 1)
        if listener_fd >= 0:  # ZeroMQ closes what it adopts: give it a duplicate
            self._socket.setsockopt(zmq.USE_FD, os.dup(listener_fd))
        self._socket.bind(f"ipc://{path}")
        self._open()

    def send(self, sender: bytes, message: object) -> bool:
        """False when that peer is gone or does not read: never waits."""
        return self._send([sender, encode(message)])

    def _take(self, frames: list[Any]) -> None:
        peer = _peer_of(frames[-1])
        if peer is None or not self._is_welcome(peer):
            self.counters[f"{self._channel.name}_peers_refused"] += 1
            self._refuse(peer, "not a process that may speak here")
            return
        if len(frames) != 2:
            self._refuse(peer, f"{len(frames)} frames instead of 2")
            return
        message = self._decode(frames[1], peer)
        if message is not None:
            self._on_message(frames[0].bytes, peer, message)


class Link(_Endpoint):
    """The connecting end. `on_up()` runs after each completed connection: say the whole state again there."""

    def __init__(
        self,
        loop: Loop,
        context: Context,
        channel: Channel,
        *,
        path: str,
        identity: str,
        logger: FilteringBoundLogger,
        counters: collections.Counter[str],
        on_message: Callable[[Any], None],
        on_up: Callable[[], None],
    ) -> None:
        super().__init__(loop, context, zmq.DEALER, logger, Decoder(channel.to_link), counters, channel)
        self._on_message = on_message
        self._on_up = on_up
        if identity:
            self._socket.setsockopt(zmq.ROUTING_ID, identity.encode())
        self._socket.setsockopt(zmq.IMMEDIATE, 1)
        self._socket.setsockopt(zmq.RECONNECT_IVL, RECONNECT_MS)
        self._socket.setsockopt(zmq.RECONNECT_IVL_MAX, RECONNECT_MAX_MS)
        self._monitor = self._socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED)
        self._monitor_fd = int(self._monitor.getsockopt(zmq.FD))
        loop.watch(self._monitor_fd, self._drain_monitor)
        loop.after(0, self._drain_monitor)
        self._socket.connect(f"ipc://{path}")
        self._open()

    def send(self, message: object) -> bool:
        """False when the hub is not there or does not read: never waits."""
        return self._send([encode(message)])

    def close(self) -> None:
        """Leave the loop and drop what was not sent."""
        self._loop.unwatch(self._monitor_fd)
        self._socket.disable_monitor()
        super().close()

    def _take(self, frames: list[Any]) -> None:
        if len(frames) != 1:
            self._refuse("hub", f"{len(frames)} frames instead of 1")
            return
        message = self._decode(frames[0], "hub")
        if message is not None:
            self._on_message(message)

    def _drain_monitor(self, _events: int = 0) -> None:
        while not self._monitor.closed:
            try:
                frames = self._monitor.recv_multipart(zmq.NOBLOCK)
            except zmq.ZMQError:
                return
            (event,) = _MONITOR_EVENT.unpack_from(frames[0])
            if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                self._on_up()


def ask(channel: Channel, path: str, request: object, timeout_s: float) -> Any:
    """One question to a hub and its answer, for a program without a loop (pyhadctl).

    `timeout_s` is the time for a first word; after an `AtWork` there are `AT_WORK_S` for the next, again and again.
    Raises `FileNotFoundError` or `ConnectionRefusedError` when nobody listens on `path`, `PermissionError` when the
    caller may not connect, `TimeoutError` when no answer came, `WireError` when the answer is no message of the
    channel.
    """
    _knock(path)
    context = Context()
    try:
        dealer = context.zmq.socket(zmq.DEALER)
        dealer.setsockopt(zmq.LINGER, 0)
        dealer.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)
        dealer.setsockopt(zmq.RECONNECT_IVL, RECONNECT_MS)
        dealer.connect(f"ipc://{path}")
        dealer.send(encode(request))
        decoder = Decoder(channel.to_link)
        while True:
            if not dealer.poll(max(1, round(timeout_s * 1000))):
                raise TimeoutError(f"no answer on {path} within {timeout_s:g} s")
            frames = dealer.recv_multipart()
            if len(frames) != 1:
                raise WireError(f"{len(frames)} frames instead of 1")
            answer = decoder.decode(frames[0])
            if not isinstance(answer, AtWork):
                return answer
            timeout_s = max(timeout_s, AT_WORK_S)
    finally:
        context.close()


def _knock(path: str) -> None:
    """Connect and hang up: ZeroMQ itself would try for ever and never say why it cannot."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as knocker:
        try:
            knocker.connect(path)
        except BlockingIOError:  # somebody listens, with a full queue
            pass


def _peer_of(frame: Any) -> Peer | None:
    """The peer of a received frame: ZeroMQ's `Peer-Address` is `localhost:UID:GID:PID` on ipc."""
    try:
        _, uid, gid, pid = frame.get("Peer-Address").split(":")
        return Peer(int(uid), int(gid), int(pid))
    except (zmq.ZMQError, ValueError, AttributeError):
        return None
