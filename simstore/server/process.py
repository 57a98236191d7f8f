"""A server in a process of its own, which ends with the program that started it."""

import atexit
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from simstore.domain.errors import BackendTimeoutError, BackendUnavailableError
from simstore.server.answering import ask
from simstore.server.ports import LOOPBACK, free_port, is_free
from simstore.server.settings import Settings, quoted, settings_text

START_SECONDS = 30.0
"""How long a server may take until it answers."""

STOP_SECONDS = 30.0
"""How long a server may take to save its data and end; then it is killed."""

_POLL_SECONDS = 0.01
_ATTEMPTS = 5
_TAIL_LINES = 12

# It waits for the end of its input, which comes when the program ends, in whatever manner.
_GUARD = 'read _; kill -"$1" "$2"'


class ServerProcess:
    """A server that speaks Redis's protocol, on loopback, started and stopped with its program.

    `binary` is the server; `settings` go to it by standard input, so that a password is on no
    command line and in no file. It runs in `folder`, where its data and ``server.log`` are. A
    `port` of 0 becomes a free one when it starts, and stays that. `password` is what it asks of
    clients, unless it is None. `at_end` is the signal that it gets if this program dies.
    `keep_open` are file descriptors that it inherits.

    It may be started again after its end. Not for several threads at once.
    """

    def __init__(  # noqa: PLR0913 — what a server is told
        self,
        binary: Path,
        settings: Settings,
        folder: Path,
        *,
        port: int = 0,
        password: str | None = None,
        at_end: signal.Signals = signal.SIGTERM,
        keep_open: Sequence[int] = (),
    ) -> None:
        self.binary = binary
        self.settings = settings
        self.folder = folder.resolve()
        self.port = port
        self._password = password
        self._at_end = at_end
        self._keep_open = tuple(keep_open)
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def log_path(self) -> Path:
        """The file that the server writes its log to; later starts add to it."""
        return self.folder / "server.log"

    @property
    def pid(self) -> int:
        """The server's process.

        Raises:
            BackendUnavailableError: it was not started, or was stopped.
        """
        if self._process is None:
            raise BackendUnavailableError(f"{self.binary.name} was not started")
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """What it ended with by itself; None while it runs, and when it was not started."""
        return None if self._process is None else self._process.poll()

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self, *, loaded: bool = True, timeout: float = START_SECONDS) -> Self:
        """Start it, and wait until it answers; with ``loaded=False`` it may still be loading.

        Raises:
            BackendUnavailableError: it did not start; the message has the end of its log.
            BackendTimeoutError: it did not answer within `timeout` seconds; it was killed.
        """
        if self.running:
            raise BackendUnavailableError(f"{self.binary.name} runs already, as {self.pid}")
        self.stop()  # what is left of one that ended by itself
        wanted = self.port
        for attempt in range(_ATTEMPTS):
            port = wanted or free_port()
            try:
                self._start_at(port, loaded=loaded, timeout=timeout)
            except BackendUnavailableError as error:
                # Somebody else was faster, which a port of the caller's choice cannot evade.
                if wanted or attempt == _ATTEMPTS - 1 or "already in use" not in str(error):
                    raise
            else:
                self.port = port
                return self
        raise AssertionError("the last attempt returned or raised")

    def stop(self, timeout: float = STOP_SECONDS) -> None:
        """Let it save its data and end; kill it after `timeout` seconds.

        Nothing happens if it does not run.
        """
        self._end(signal.SIGTERM, timeout)

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self._end(signal.SIGKILL, STOP_SECONDS)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it ends by itself, for at most `timeout` seconds; whether it has."""
        if self._process is None:
            return True
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        return True

    def log_tail(self) -> str:
        """The last lines that it logged since it was started."""
        try:
            with self.log_path.open("rb") as log:
                log.seek(self._log_start)
                lines = log.read().decode(errors="replace").splitlines()
        except OSError:
            return ""
        return "\n".join(lines[-_TAIL_LINES:])

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start_at(self, port: int, *, loaded: bool, timeout: float) -> None:
        # Else the answer of another server there could be taken for that of this one.
        if not is_free(port):
            raise BackendUnavailableError(f"port {port} of {LOOPBACK} is already in use")
        secret = {} if self._password is None else {"requirepass": quoted(self._password)}
        settings: Settings = {
            "bind": LOOPBACK,
            **self.settings,
            **secret,
            "port": str(port),
            "dir": quoted(str(self.folder)),
            "daemonize": "no",
            "logfile": '""',
        }
        text = settings_text(settings)
        with self.log_path.open("ab") as log:
            self._log_start = log.tell()
            try:
                self._process = subprocess.Popen(  # noqa: S603 — the binary that the caller named
                    [self.binary, "-"],
                    cwd=self.folder,
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    pass_fds=self._keep_open,
                    start_new_session=True,  # Ctrl-C is for the program, which then stops it
                )
            except OSError as error:
                raise BackendUnavailableError(
                    f"{self.binary} cannot be run: {error.strerror}"
                ) from error
        atexit.register(self.stop)  # in a fork it does nothing, for the server is no child of it
        try:
            self._guard = self._guarding(self._process.pid)
            self._configure(text)
            self._wait_until_ready(port, loaded=loaded, timeout=timeout)
        except BaseException:
            self.kill()
            raise

    def _guarding(self, pid: int) -> subprocess.Popen[bytes]:
        name = self._at_end.name.removeprefix("SIG")
        return subprocess.Popen(  # noqa: S603 — constant but for two words of its own making
            ["/bin/sh", "-c", _GUARD, "sh", name, str(pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _configure(self, text: str) -> None:
        assert self._process is not None  # noqa: S101 — just started
        assert self._process.stdin is not None  # noqa: S101 — asked for
        try:
            with self._process.stdin as settings:
                settings.write(text.encode())
        except BrokenPipeError:
            return  # it ended at once; its log says why

    def _wait_until_ready(self, port: int, *, loaded: bool, timeout: float) -> None:
        good = {"ready"} if loaded else {"ready", "loading"}
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if not self.running:
                raise BackendUnavailableError(self._told("did not start"))
            if ask(LOOPBACK, port, self._password) in good:
                return
            time.sleep(_POLL_SECONDS)
        raise BackendTimeoutError(self._told(f"did not answer within {timeout:g} seconds"))

    def _told(self, what: str) -> str:
        return f"{self.binary.name} {what}; its log ends with:\n{self.log_tail()}"

    def _end(self, sign: signal.Signals, timeout: float) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        atexit.unregister(self.stop)
        process.send_signal(sign)
        process.send_signal(signal.SIGCONT)  # one that was stopped would not hear the other
        self._dismiss_guard()  # before the process is gone, and its number another's
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout)

    def _dismiss_guard(self) -> None:
        guard, self._guard = self._guard, None
        if guard is not None:
            guard.kill()
            guard.wait()
            if guard.stdin is not None:
                guard.stdin.close()
