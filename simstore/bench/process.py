"""A contender's process, seen from the one that measures: see `simstore.bench.workers.loop`."""

import contextlib
import json
import os
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from simstore.domain.errors import BenchmarkError

STOP_SECONDS = 300.0
"""How long a process may take to delete what it kept; then it is killed."""

_TAIL = 3
"""So many of the last lines that it printed tell why it failed."""


class Process:
    """A contender that runs and answers requests; use it as a context manager.

    `command` starts it, and it is told its `setting`. What it prints is kept in `log`. An answer
    that takes longer than `timeout` seconds is a failure.

    Raises:
        BenchmarkError: it did not start, or died.
    """

    def __init__(
        self,
        command: Sequence[str],
        setting: Mapping[str, Any],
        *,
        environment: Mapping[str, str],
        log: Path,
        timeout: float,
    ) -> None:
        self._log = log
        self._timeout = timeout
        try:
            with log.open("ab") as output:
                self._process = subprocess.Popen(  # noqa: S603 — a program of simstore's own
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=output,
                    env={**os.environ, **environment},
                    encoding="utf-8",
                    start_new_session=True,  # Ctrl-C is for the one that measures, which ends it
                )
        except OSError as error:
            raise BenchmarkError(f"{command[0]} cannot be run: {error.strerror}") from error
        try:
            self._send(setting)
            started = self._receive()
        except BaseException:
            self._kill()
            raise
        if "error" in started:
            self._kill()
            raise BenchmarkError(started["error"])
        self.works: frozenset[str] = frozenset(started["works"])
        self.versions: dict[str, str] = started["versions"]

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """The answer to a request; one that failed has an ``error``.

        Raises:
            BenchmarkError: the process died, or did not answer in time.
        """
        self._send({"do": do, **arguments})
        return self._receive()

    def _send(self, line: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None  # noqa: S101 — asked for
        try:
            print(json.dumps(line), file=self._process.stdin, flush=True)
        except OSError as error:
            self._process.wait()
            raise BenchmarkError(self._told("ended")) from error

    def _receive(self) -> dict[str, Any]:
        assert self._process.stdout is not None  # noqa: S101 — asked for
        watchdog = threading.Timer(self._timeout, self._process.kill)
        watchdog.start()
        try:
            line = self._process.stdout.readline()
        finally:
            late = not watchdog.is_alive()
            watchdog.cancel()
        if not line:
            self._process.wait()
            how = f"did not answer within {self._timeout:g} seconds" if late else "ended"
            raise BenchmarkError(self._told(how))
        try:
            answer: dict[str, Any] = json.loads(line)
        except json.JSONDecodeError as error:
            raise BenchmarkError(f"its process said {line[:100].strip()!r}") from error
        return answer

    def _told(self, how: str) -> str:
        printed = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return "; ".join([f"its process {how}", *(line.strip() for line in printed[-_TAIL:])])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None  # noqa: S101 — asked for
        try:
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                self._process.stdin.close()
                self._process.wait(STOP_SECONDS)
        finally:
            self._kill()

    def _kill(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
