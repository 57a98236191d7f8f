"""A Redis-compatible server that a test starts, kills, restarts and stops."""

import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from simstore.server.ports import LOOPBACK
from simstore.server.process import ServerProcess
from simstore.server.settings import Settings

NO_PERSISTENCE: Settings = {"save": '""', "appendonly": "no"}
APPEND_ONLY: Settings = {"save": '""', "appendonly": "yes", "appendfsync": "always"}
"""What was answered is on the disk."""


class RedisServer:
    """A server on loopback, with a port of its own that it keeps.

    `config` is as a configuration file has it: a list makes a line of each value, as in
    ``{"loadmodule": [json, search], "maxmemory": "10mb", "user": ["ada on >pw ~* +@all"]}``.
    What it does not say is as the server has it, but nothing is saved: `NO_PERSISTENCE`.
    `password` is what ``requirepass`` sets. Data and log lie in `folder`.

        with RedisServer(redis_binary(), {"appendonly": "yes"}, tmp_path) as server:
            connect(server.url)

    It ends with the block, with Python, and if Python is killed.
    """

    def __init__(
        self,
        binary: Path,
        config: Mapping[str, str | Sequence[str]],
        folder: Path,
        *,
        password: str | None = None,
    ) -> None:
        self.folder = folder
        self.password = password
        settings = {**NO_PERSISTENCE, **config}
        port = settings.pop("port", "0")
        assert isinstance(port, str)
        self.process = ServerProcess(
            binary,
            settings,
            folder,
            port=int(port),
            password=password,
            at_end=signal.SIGKILL,
        )
        self.host = LOOPBACK

    def start(self, *, loaded: bool = True) -> Self:
        """Start it and wait until it answers; with ``loaded=False`` it may still be loading."""
        self.process.start(loaded=loaded)
        return self

    def stop(self) -> None:
        """Let it save what it should, and end."""
        self.process.stop()

    def kill(self) -> None:
        """End it by SIGKILL."""
        self.process.kill()

    def restart(self, *, kill: bool = False, loaded: bool = True) -> Self:
        """Stop or kill it, and start it again in its folder and at its port."""
        if kill:
            self.kill()
        else:
            self.stop()
        return self.start(loaded=loaded)

    def pause(self) -> None:
        """Let it take connections, but answer nothing, until `resume`."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    @property
    def running(self) -> bool:
        return self.process.running

    @property
    def port(self) -> int:
        return self.process.port

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def log(self) -> str:
        """The end of what it logged since its last start."""
        return self.process.log_tail()

    @property
    def url(self) -> str:
        """What a client needs, the password included."""
        return self.url_for("" if self.password is None else f":{quote(self.password, safe='')}")

    def url_for(self, credentials: str = "", *, scheme: str = "redis") -> str:
        """The URL with `credentials`, such as ``ada:pw``, or with another scheme."""
        at = f"{credentials}@" if credentials else ""
        return f"{scheme}://{at}{self.host}:{self.port}"

    def client(self, **options: Any) -> Any:
        """A client of redis-py, which the caller closes; its replies are bytes."""
        import redis  # noqa: PLC0415 — conftest imports this file for tests without a server, too

        return redis.Redis(host=self.host, port=self.port, password=self.password, **options)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
