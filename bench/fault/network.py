"""A network of the terminals' own, which can be cut without a word to anybody.

It is a network namespace, for which one has to be root. A socket belongs to the namespace that its thread was in when it was
opened, so one process can have sockets on both sides. Packets into a link that is down are lost, as behind a pulled cable; that a
socket was closed is noticed at once.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

HERE: Final = "10.213.77.1"
"""Where the nodes are, seen from the terminals."""
THERE: Final = "10.213.77.2"
_CLONE_NEWNET: Final = 0x40000000
_OWN: Final = Path("/proc/thread-self/ns/net")


def possible() -> bool:
    """Whether this machine and this user can have one."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    name = f"fault-{secrets.token_hex(3)}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False)  # noqa: S607 - a system's own
    if made.returncode == 0:
        _ip("netns", "delete", name)
    return made.returncode == 0


class Network:
    """The terminals' side of a link to this machine."""

    def __init__(self, name: str) -> None:
        self._name = name

    def open(self, info: Any) -> socket.socket:
        """A socket on the terminals' side; `info` is one of `getaddrinfo`'s entries. For `aiohttp.TCPConnector`."""
        family, kind, protocol, _, _ = info
        with self._inside():
            return socket.socket(family, kind, protocol)

    def url(self, url: str) -> str:
        """A node's URL as the terminals have to write it."""
        return url.replace("127.0.0.1", HERE)

    def cut(self) -> None:
        """From now on every packet is lost."""
        _ip("link", "set", self._name, "down")

    def mend(self) -> None:
        """Packets arrive again."""
        _ip("link", "set", self._name, "up")

    @contextlib.contextmanager
    def _inside(self) -> Iterator[None]:
        own = os.open(_OWN, os.O_RDONLY)
        other = os.open(f"/run/netns/{self._name}", os.O_RDONLY)
        try:
            _enter(other)
            try:
                yield
            finally:
                _enter(own)
        finally:
            os.close(own)
            os.close(other)


@contextlib.contextmanager
def network() -> Iterator[Network]:
    """A network, taken down in the end."""
    name = f"fault-{secrets.token_hex(3)}"
    _ip("netns", "add", name)
    try:
        _ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
        _ip("address", "add", f"{HERE}/30", "dev", name)
        _ip("link", "set", name, "up")
        for order in (("address", "add", f"{THERE}/30", "dev", "eth0"), ("link", "set", "eth0", "up")):
            _ip("-n", name, *order)
        yield Network(name)
    finally:
        _ip("netns", "delete", name)


def _enter(namespace: int) -> None:
    # `os.setns` is there from Python 3.12 on.
    if ctypes.CDLL(None, use_errno=True).setns(namespace, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)  # noqa: S607 - a system's own
