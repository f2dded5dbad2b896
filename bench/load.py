"""The load: as many requests as a server answers, over connections that are kept, one request at a time on each.

Bare sockets and epoll, because the load must cost less than the fastest reference that it drives.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

CONNECTIONS: Final = 64
PATIENCE: Final = 10.0
"""Seconds within which an answer has to come."""
HEAD_END: Final = b"\r\n\r\n"
LENGTH: Final = b"\r\ncontent-length: "


@dataclass(frozen=True)
class Load:
    """What came of it: how many requests were answered in how many seconds, and how many with a status other than 2xx."""

    answered: int
    seconds: float
    refused: int

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.answered / self.seconds


def complete(data: bytes) -> bool:
    """Whether `data` is a whole answer. Heads are in small letters, as both uvicorn and the reference write them."""
    end = data.find(HEAD_END)
    if end < 0:
        return False
    at = data.find(LENGTH, 0, end)
    length = int(data[at + len(LENGTH) : data.index(b"\r", at + 2)]) if at >= 0 else 0
    return len(data) >= end + len(HEAD_END) + length


def connect(port: int) -> socket.socket:
    """A connection without delays."""
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def drive(port: int, requests: Iterator[bytes], *, seconds: float = float("inf"), connections: int = CONNECTIONS) -> Load:
    """Sends what `requests` gives until it ends or the time is over; each connection waits for its answer before the next."""
    poll = select.epoll()
    sockets: dict[int, socket.socket] = {}
    partial: dict[int, bytes] = {}
    answered = refused = 0
    start = time.perf_counter()
    end = start + seconds
    for connection in (connect(port) for _ in range(connections)):
        if (first := next(requests, None)) is None:
            connection.close()
            break
        connection.sendall(first)
        poll.register(connection, select.EPOLLIN)
        sockets[connection.fileno()] = connection
    waiting = len(sockets)
    while waiting:
        ready = _poll(poll)
        over = time.perf_counter() >= end
        for number, _ in ready:
            connection = sockets[number]
            data = partial.pop(number, b"") + _receive(connection)
            if not complete(data):
                partial[number] = data
                continue
            answered += 1
            refused += data[9:10] != b"2"
            following = None if over else next(requests, None)
            if following is None:
                waiting -= 1
            else:
                connection.sendall(following)
    taken = time.perf_counter() - start
    for connection in sockets.values():
        connection.close()
    poll.close()
    return Load(answered, taken, refused)


def _poll(poll: select.epoll) -> list[tuple[int, int]]:
    """What can be read, without ever sleeping: to wake the load up would cost the server's core as much as a small answer does.

    A reference keeps its load busy and pays nothing for that, and a load on another machine is woken by that machine.
    """
    end = time.perf_counter() + PATIENCE
    while not (ready := poll.poll(0.0)):
        if time.perf_counter() >= end:
            raise TimeoutError(f"the server has not answered for {PATIENCE:g} seconds")
    return ready


def _receive(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ConnectionError("the server has closed a connection")
    return data
