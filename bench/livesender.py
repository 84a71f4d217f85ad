"""Transactions over TLS at a steady rate, and an echo of the same path.

``python -m bench.livesender send PORT RATE SECONDS CA``: sends messages in frames that count their octets, each with
the moment at which it was sent; one of fifty is odd, with ``"odd":1`` and an amount that no other has.
``python -m bench.livesender echo PORT TARGET CERT KEY CA``: takes one connection and hands on what comes.
"""

from __future__ import annotations

import random
import socket
import ssl
import sys
import time
from contextlib import suppress

#: Seconds between two sends.
STEP = 0.005
#: One of so many messages is odd.
ODD = 50


def connected(port: int, ca: str) -> ssl.SSLSocket:
    """A TLS connection to this machine."""
    context = ssl.create_default_context(cafile=ca)
    plain = socket.create_connection(("127.0.0.1", port))
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(plain, server_hostname="localhost")


def send(port: int, rate: int, seconds: int, ca: str) -> None:
    """Send, then close."""
    chance = random.Random(5)
    with connected(port, ca) as peer:
        begun, sent = time.monotonic(), 0
        while sent < rate * seconds:
            due = min(int((time.monotonic() - begun) * rate), rate * seconds)
            block = bytearray()
            now = time.time()
            for number in range(sent, due):
                odd = number % ODD == 0
                amount, hour = (9_000_000, 3) if odd else (chance.randrange(100_000), chance.randrange(9, 19))
                text = f'{{"n":{number},"sent":{now:.6f},"amount":{amount},"hour":{hour},"odd":{int(odd)}}}'
                block += f"{len(text)} {text}".encode()
            if block:
                peer.sendall(block)
            sent = due
            time.sleep(STEP)
        with suppress(OSError):  # peers may close without a word of theirs
            peer.unwrap()


def echo(port: int, target: int, cert: str, key: str, ca: str) -> None:
    """Take one connection and hand on what comes, until it ends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    listening = socket.create_server(("127.0.0.1", port))
    with context.wrap_socket(listening.accept()[0], server_side=True) as source, connected(target, ca) as sink:
        while data := source.recv(1 << 18):
            sink.sendall(data)


def main() -> None:
    """Send or echo."""
    what, *words = sys.argv[1:]
    if what == "send":
        send(int(words[0]), int(words[1]), int(words[2]), words[3])
    else:
        echo(int(words[0]), int(words[1]), *words[2:])


if __name__ == "__main__":
    main()
