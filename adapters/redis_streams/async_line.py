"""A task's own connection to the server of a key, over which it follows steps."""

import asyncio
import contextlib
import os
from typing import Any, TypeVar

import redis
from redis import asyncio as redis_asyncio
from redis import exceptions
from redis.asyncio.connection import AbstractConnection

from simstore.adapters.redis_connection.dedicated import asyncio_connection
from simstore.adapters.redis_connection.errors import may_pass
from simstore.adapters.redis_connection.link import Link
from simstore.adapters.redis_streams.steps import Ask, Pause, Steps, longest_wait

T = TypeVar("T")


class AsyncLine:
    """As `Line`, in an event loop: one task at a time follows steps, and may be cancelled."""

    def __init__(
        self, link: Link, key: str, pool: redis_asyncio.ConnectionPool | None = None
    ) -> None:
        self._link = link
        self._key = key
        self._pool = pool
        self._connection: AbstractConnection | None = None
        self._is_busy = False
        self._loop = asyncio.get_running_loop()
        self._process = os.getpid()
        self._has_ended = False
        self._ended = asyncio.Event()
        self._inherited: AbstractConnection | None = None

    async def follow(self, steps: Steps[T]) -> T | None:
        """As `Line.follow`."""
        self._notice_fork()
        if self._has_ended:
            return None
        self._is_busy = True
        try:
            return await self._follow(steps)
        finally:
            steps.close()
            self._is_busy = False
            if self._has_ended:
                await self._drop()

    async def _follow(self, steps: Steps[T]) -> T | None:
        try:
            step = next(steps)
            while True:
                try:
                    answer = await self._do(step)
                except (exceptions.RedisError, exceptions.RedisClusterException) as error:
                    if self._has_ended:
                        return None
                    step = steps.throw(error)
                else:
                    step = steps.send(answer)
        except StopIteration as stop:
            result: T = stop.value
            return result

    async def _do(self, step: Ask | Pause) -> Any:
        if isinstance(step, Pause):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), step.seconds)
            return None
        try:
            connection = await self._connected()
            packed = connection.pack_commands(step.call.commands())
            await connection.send_packed_command(packed, check_health=False)
            return await connection.read_response()
        except exceptions.ResponseError as error:
            if may_pass(error, cluster=self._link.is_cluster):
                await self._lose()
            raise
        except (exceptions.RedisError, exceptions.RedisClusterException):
            await self._lose()
            raise
        except BaseException:
            # Cancelled: what is still to come must not answer another call.
            await self._drop()
            raise

    async def _connected(self) -> AbstractConnection:
        connection = self._connection
        if connection is None:
            pool = await self._find_pool()
            timeout = longest_wait(self._link) + self._link.timeout
            connection = asyncio_connection(self._pool or pool, timeout)
            self._connection = connection
            await connection.connect()
        if self._has_ended:
            raise exceptions.ConnectionError("it was ended")
        return connection

    async def _find_pool(self) -> redis.ConnectionPool:
        if self._link.is_cluster:  # its nodes may have to be asked
            return await asyncio.to_thread(self._link.pool_of, self._key)
        return self._link.pool_of(self._key)

    async def _lose(self) -> None:
        await self._drop()
        self._link.look_up_anew()

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            _cut(connection)
            await connection.disconnect(nowait=True)

    def end(self) -> None:
        """Wake the task that waits, from any thread; its connection is closed with it."""
        if self._process == os.getpid():
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        self._has_ended = True
        self._ended.set()
        if self._connection is not None:
            _cut(self._connection)

    async def aclose(self) -> None:
        """Wake the task that waits, and close the connection."""
        self._notice_fork()
        self._end()
        if not self._is_busy:
            await self._drop()
        await asyncio.sleep(0)  # in which the transport is closed

    def _notice_fork(self) -> None:
        """In a child, leave alone what the parent's loop is at; to throw it away would close it."""
        if self._process != os.getpid():
            self._process = os.getpid()
            self._loop = asyncio.get_running_loop()
            self._inherited, self._connection = self._connection, None
            self._is_busy = False


def _cut(connection: AbstractConnection) -> None:
    """Break it off: TLS would wait for the other side to say goodbye."""
    writer = getattr(connection, "_writer", None)
    # The stand-in for a transport that fakeredis has cannot, and need not, be broken off.
    abort = getattr(getattr(writer, "transport", None), "abort", None)
    if abort is not None:
        abort()
