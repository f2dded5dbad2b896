"""One connection to a host: messages with two bytes of length before them, many questions at a time, answers in any order."""

from __future__ import annotations

import asyncio
import ssl
from typing import Final

import structlog

from countertop.domain.errors import NotReadable
from countertop.gateway.processors.message import Key, Message, answer, decode, encode, expected_key, key_of
from countertop.gateway.processors.port import Unanswered, Unreachable

MAX_MESSAGE: Final = 8 * 1024
"""Bytes of the longest message that is read; the largest one that is said holds a sealed card."""

_NETWORK_QUESTION: Final = "0800"
_DONE: Final = "00"
_log = structlog.stdlib.get_logger(__name__)


async def receive(reader: asyncio.StreamReader) -> Message:
    """The next message. Raises IncompleteReadError at the end of the stream, NotReadable if it is none."""
    length = int.from_bytes(await reader.readexactly(2))
    if length > MAX_MESSAGE:
        raise NotReadable("a message is too long")
    return decode(await reader.readexactly(length))


def frame(message: Message) -> bytes:
    """A message as it goes over the connection. Raises NotReadable if it is too long."""
    data = encode(message)
    if len(data) > MAX_MESSAGE:
        raise NotReadable("a message is too long")
    return len(data).to_bytes(2) + data


class HostLink:
    """An open connection. Once it is closed, by either side, every question that is open on it ends as Unanswered."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._open: dict[Key, asyncio.Future[Message]] = {}
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def connect(cls, host: str, port: int, tls: ssl.SSLContext | None, within_s: float) -> HostLink:
        """A connection to a host, over TLS if there is a context for it. Raises OSError, TimeoutError among them."""
        async with asyncio.timeout(within_s):
            return cls(*await asyncio.open_connection(host, port, ssl=tls, limit=2 * MAX_MESSAGE))

    async def ask(self, message: Message, within_s: float) -> Message:
        """The answer to a message.

        Raises Unreachable if it was not sent, Unanswered if no answer came in time, NotReadable if the message cannot be written.
        """
        data, key = frame(message), expected_key(message)
        if self._reading.done():
            raise Unreachable("the connection to the processor is closed")
        if key in self._open:
            raise Unanswered("the processor is being asked this already")
        self._open[key] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(within_s):
                self._writer.write(data)
                await self._writer.drain()
                return await self._open[key]
        except OSError:  # which a time-out is too
            raise Unanswered("the processor did not answer") from None
        finally:
            del self._open[key]

    async def closed(self, within_s: float) -> bool:
        """Whether the connection is closed by the time that `within_s` seconds have passed. Returns as soon as it is."""
        await asyncio.wait([self._reading], timeout=within_s)
        return self._reading.done()

    async def close(self) -> None:
        """Closes the connection. May be called again."""
        self._reading.cancel()
        await asyncio.wait([self._reading])
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            _log.debug("processor_connection_broke_on_closing")

    async def _read(self) -> None:
        """Hands answers to those who wait for them, until the connection ends or something comes that is no message."""
        try:
            while True:
                await self._take(await receive(self._reader))
        except (OSError, EOFError):
            _log.info("processor_connection_ended")
        except NotReadable as error:
            _log.warning("processor_sent_no_message", reason=str(error))
        finally:
            self._writer.transport.abort()
            for waiting in self._open.values():
                if not waiting.done():
                    waiting.set_exception(Unanswered("the connection to the processor broke"))

    async def _take(self, message: Message) -> None:
        if message["t"] == _NETWORK_QUESTION:
            self._writer.write(frame(answer(message, _DONE)))
            await self._writer.drain()
            return
        waiting = self._open.get(key_of(message))
        if waiting is None or waiting.done():
            # Nobody waits any more: whoever asked has timed out and is reversing.
            _log.warning("processor_answered_too_late", message_type=message["t"])
            return
        waiting.set_result(message)
