"""A thread's own connection to the server of a key, over which it follows steps."""

import contextlib
import os
import socket
from threading import Event, Lock
from typing import Any, TypeVar

import redis
from redis import exceptions

from simstore.adapters.redis_connection.dedicated import connect_alone
from simstore.adapters.redis_connection.errors import may_pass
from simstore.adapters.redis_connection.link import Link
from simstore.adapters.redis_streams.steps import Ask, Pause, Steps, longest_wait

T = TypeVar("T")


class Line:
    """The connection: made when it is first needed, and anew after it was lost or in a fork.

    One thread at a time follows steps; any may end it.
    """

    def __init__(self, link: Link, key: str) -> None:
        self._link = link
        self._key = key
        self._connection: redis.Connection | None = None
        self._is_busy = False
        self._process = os.getpid()
        self._lock = Lock()
        self._ended = Event()

    def follow(self, steps: Steps[T]) -> T | None:
        """What `steps` come to; None if the line is ended before."""
        self._notice_fork()
        with self._lock:
            if self._ended.is_set():
                return None
            self._is_busy = True
        try:
            return self._follow(steps)
        finally:
            steps.close()
            with self._lock:
                self._is_busy = False
            if self._ended.is_set():
                self._drop()

    def _follow(self, steps: Steps[T]) -> T | None:
        try:
            step = next(steps)
            while True:
                try:
                    answer = self._do(step)
                except (exceptions.RedisError, exceptions.RedisClusterException) as error:
                    if self._ended.is_set():
                        return None
                    step = steps.throw(error)
                else:
                    step = steps.send(answer)
        except StopIteration as stop:
            result: T = stop.value
            return result

    def _do(self, step: Ask | Pause) -> Any:
        if isinstance(step, Pause):
            self._ended.wait(step.seconds)
            return None
        try:
            connection = self._connected()
            packed = connection.pack_commands(step.call.commands())
            connection.send_packed_command(packed, check_health=False)
            return connection.read_response()
        except exceptions.ResponseError as error:
            if may_pass(error, cluster=self._link.is_cluster):
                self._lose()
            raise
        except BaseException:
            self._lose()  # what is still to come must not answer another call
            raise

    def _connected(self) -> redis.Connection:
        if self._connection is None:
            pool = self._link.pool_of(self._key)
            timeout = longest_wait(self._link) + self._link.timeout
            connection = connect_alone(pool, timeout)
            with self._lock:
                self._connection = connection
        if self._ended.is_set():
            raise exceptions.ConnectionError("it was ended")
        return self._connection

    def _lose(self) -> None:
        self._drop()
        self._link.look_up_anew()

    def _drop(self) -> None:
        with self._lock:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.disconnect()

    def end(self) -> None:
        """Close the connection, and wake the thread that waits."""
        self._notice_fork()
        with self._lock:
            self._ended.set()
            waits = self._is_busy
            own = getattr(self._connection, "_sock", None)
            if waits and isinstance(own, socket.socket):
                # Not TLS's own, which would say goodbye while another thread reads.
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(own, socket.SHUT_RDWR)
        if not waits:
            self._drop()

    def _notice_fork(self) -> None:
        """In a child, leave the parent's connection alone; its lock may be held for ever."""
        if self._process == os.getpid():
            return
        self._process = os.getpid()
        self._connection = None
        self._is_busy = False
        self._lock = Lock()
        ended, self._ended = self._ended.is_set(), Event()
        if ended:
            self._ended.set()
