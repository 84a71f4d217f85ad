"""Datagrams: a thread a socket, which takes as many as there are with one call.

An event loop takes 20 microseconds a datagram and loses a third of 50,000 a second; a call each gives Python's lock
away each time and waits for it. What the system drops for want of room in its buffer is counted.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import socket
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable

import numpy as np

from logsql.diagnostics.receivers import SMALL_BUFFER
from logsql.streams.messages import Sender
from logsql.streams.metrics import BYTES, FRAMES_BAD, RECEIVER_LOST, REFUSED, Metrics
from logsql.streams.receivers.base import Allowed, Listen, Senders, Taking, bare_address
from logsql.streams.settings import Receiver as Settings
from udfs.readers.framing import OVERSIZE, datagram

#: Seconds in which a thread notices that it is to stop.
TICK = 0.2
#: Seconds in which what the system holds is read when it stops.
_LAST = 2.0
_LARGEST = 65_536
_SLOTS = 1024
_MOST_KNOWN = 10_000
#: Linux: a buffer beyond the system's limit, for those who may; the numbers of a socket, its drops among them.
_SO_RCVBUFFORCE, _SO_MEMINFO, _DROPS = 33, 55, 8
_WAIT_FOR_ONE = 0x10000
#: Datagrams and the raw addresses of their senders.
Taken = list[tuple[bytes, bytes]]


class Datagrams:
    """One datagram socket. ``warnings``: a buffer that is smaller than it should be."""

    def __init__(
        self,
        listen: Listen,
        sock: socket.socket,
        settings: Settings,
        intake: Taking,
        metrics: Metrics,
        senders: Senders,
    ) -> None:
        self._sock = sock
        self._listen = listen
        self._intake = intake
        self._metrics = metrics
        self._senders = senders
        self._stop = threading.Event()
        self._dropped = 0
        self._known: dict[bytes, Sender | None] = {}
        self.warnings: list[str] = []
        self.take(settings)
        self._thread = threading.Thread(target=self._run, name=f"datagrams of {settings.name}", daemon=True)

    def take(self, settings: Settings) -> None:
        """Other settings."""
        self._settings = settings
        self._allowed = Allowed(settings.allow_from)
        self._known = {}
        got = _enlarge(self._sock, settings.receive_buffer)
        if got < settings.receive_buffer:
            facts = {"name": settings.name, "address": str(self._listen), "got": got}
            self.warnings = [SMALL_BUFFER.fill(wanted=settings.receive_buffer, **facts)]

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Read what the system holds and no more."""
        self._stop.set()

    def join(self) -> None:
        """Until everything that was read is put."""
        self._thread.join()

    def _run(self) -> None:
        take = _many(self._sock) or _one_by_one(self._sock)
        until = None
        with contextlib.closing(self._sock), contextlib.suppress(OSError):
            while until is None or time.monotonic() < until:
                if self._stop.is_set() and until is None:
                    until = time.monotonic() + _LAST
                if self._intake.full and not self._intake.wait_room(TICK):
                    continue
                found = take()
                if found:
                    self._put(found)
                elif until is not None:
                    break
                self._count_drops()
        self._count_drops()

    def _put(self, found: Taken) -> None:
        settings = self._settings
        lines: list[bytes] = []
        senders: list[Sender] = []
        truncated: list[int] = []
        refused = size = long = 0
        for data, raw in found:
            try:
                sender = self._known[raw]
            except KeyError:
                sender = self._judge(raw)
            if sender is None:
                refused += 1
                continue
            size += len(data)
            line = datagram(data)
            if len(line) > settings.max_frame:
                long += 1
                if settings.oversize != "cut":
                    continue
                truncated.append(len(lines))
                line = line[: settings.max_frame]
            if line:
                lines.append(line)
                senders.append(sender)
        name = settings.name
        self._metrics.add(BYTES, (name,), size)
        if refused:
            self._metrics.add(REFUSED, (name, "allow_from"), refused)
        if long:
            self._metrics.add(FRAMES_BAD, (name, OVERSIZE), long)
            if settings.oversize != "cut":
                self._metrics.add(RECEIVER_LOST, (name, OVERSIZE), long)
        self._tell(lines, senders)
        self._intake.put(lines, senders, "udp", truncated or None)

    def _tell(self, lines: list[bytes], senders: list[Sender]) -> None:
        messages: Counter[str | None] = Counter(sender.address for sender in senders)
        sizes: Counter[str | None] = Counter()
        if len(messages) == 1:
            sizes[senders[0].address] = sum(map(len, lines))
        else:
            for line, sender in zip(lines, senders, strict=True):
                sizes[sender.address] += len(line)
        for address, count in messages.items():
            self._senders.heard(address or "", "udp", count, sizes[address])

    def _judge(self, raw: bytes) -> Sender | None:
        """Who stands behind a raw address; None: nobody is listened to from there."""
        address, port = _address(raw)
        sender = Sender(address, port, self._settings.name) if self._allowed(address) else None
        if len(self._known) >= _MOST_KNOWN:
            self._known = {}
        self._known[raw] = sender
        return sender

    def _count_drops(self) -> None:
        if sys.platform != "linux":
            return
        try:
            numbers = struct.unpack("9I", self._sock.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 36))
        except (OSError, struct.error):
            return
        if lost := (numbers[_DROPS] - self._dropped) & 0xFFFFFFFF:
            self._metrics.add(RECEIVER_LOST, (self._settings.name, "udp_buffer"), lost)
            self._dropped = numbers[_DROPS]


def _enlarge(sock: socket.socket, wanted: int) -> int:
    """The size that the buffer has then: the system keeps as much again for itself."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, wanted)
    share = 2 if sys.platform == "linux" else 1
    got = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // share
    if got < wanted and sys.platform == "linux":
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, wanted)
        got = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // share
    return got


def _address(raw: bytes) -> tuple[str, int]:
    """Address and port of a ``sockaddr``, as the system gives it or as :func:`_one_by_one` writes it."""
    family = int.from_bytes(raw[:2], sys.byteorder)
    port = int.from_bytes(raw[2:4], "big")
    if family == socket.AF_INET:
        return socket.inet_ntop(socket.AF_INET, raw[4:8]), port
    return bare_address(socket.inet_ntop(socket.AF_INET6, raw[8:24])), port


def _one_by_one(sock: socket.socket) -> Callable[[], Taken]:
    """The first with patience, more as long as there are any."""
    v6 = sock.family == socket.AF_INET6

    def raw(peer: tuple[str, int]) -> bytes:
        family, place = (socket.AF_INET6, bytes(4)) if v6 else (socket.AF_INET, b"")
        packed = socket.inet_pton(family, peer[0].partition("%")[0])
        return int(family).to_bytes(2, sys.byteorder) + peer[1].to_bytes(2, "big") + place + packed

    def take() -> Taken:
        found: Taken = []
        sock.settimeout(TICK)
        with contextlib.suppress(TimeoutError, BlockingIOError, ConnectionResetError):
            while len(found) < _SLOTS:
                data, peer = sock.recvfrom(_LARGEST)
                found.append((data, raw(peer)))
                sock.settimeout(0.0)
        return found

    return take


# --- recvmmsg ---------------------------------------------------------------------------------------------------------


class _Part(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class _Message(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("parts", ctypes.c_void_p),
        ("part_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class _Header(ctypes.Structure):
    _fields_ = (("message", _Message), ("received", ctypes.c_uint32))


_NAME = 28


class _Many:
    """Up to 1,024 datagrams a call. The system writes into memory that lives as long as this."""

    def __init__(self, sock: socket.socket, call: Callable[..., int]) -> None:
        self._call = call
        self._number = sock.fileno()
        room, names = np.zeros(_SLOTS * _LARGEST, np.uint8), np.zeros(_SLOTS * _NAME, np.uint8)
        self._room, self._names = room.data, names.data
        self._headers, self._parts = (_Header * _SLOTS)(), (_Part * _SLOTS)()
        for slot in range(_SLOTS):
            part, message = self._parts[slot], self._headers[slot].message
            part.base, part.length = room.ctypes.data + slot * _LARGEST, _LARGEST
            message.name = names.ctypes.data + slot * _NAME
            message.parts, message.part_count = ctypes.addressof(part), 1
        words = np.frombuffer(memoryview(self._headers).cast("B"), np.uint32).reshape(_SLOTS, -1)
        self._name_lengths = words[:, _Message.name_length.offset // 4]
        self._received = words[:, _Header.received.offset // 4]
        sock.setblocking(True)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, int(TICK * 1_000_000)))

    def __call__(self) -> Taken:
        self._name_lengths[:] = _NAME
        count = self._call(self._number, self._headers, _SLOTS, _WAIT_FOR_ONE, None)
        if count < 0:
            if (code := ctypes.get_errno()) in (errno.EAGAIN, errno.EINTR, errno.ECONNREFUSED):
                return []
            raise OSError(code, "recvmmsg")
        room, names = self._room, self._names
        return [
            (
                bytes(room[slot * _LARGEST : slot * _LARGEST + length]),
                bytes(names[slot * _NAME : slot * _NAME + _NAME]),
            )
            for slot, length in enumerate(self._received[:count].tolist())
        ]


def _many(sock: socket.socket) -> Callable[[], Taken] | None:
    """Takes many datagrams with one call (recvmmsg of Linux); None where there is no such call."""
    if sys.platform != "linux" or struct.calcsize("P") != 8:
        return None
    call = getattr(ctypes.CDLL(None, use_errno=True), "recvmmsg", None)
    return None if call is None else _Many(sock, call)
