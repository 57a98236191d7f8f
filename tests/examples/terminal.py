"""`examples/chat.py` in a process of its own, and somebody who types and reads."""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from typing import Self

from tests.examples.serving import BOUND, ROOT


class Terminal:
    """A program whose lines are typed by a test; it does not outlive its block."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", str(ROOT / "examples" / "chat.py"), *arguments],
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        self.shown = ""
        self._seen = 0
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        while letter := self.process.stdout.read(1):
            with self._changed:
                self.shown += letter
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    def wait_for(self, text: str) -> str:
        """What was shown since the last call, up to and with `text`."""

        def found() -> bool:
            return text in self.shown[self._seen :]

        with self._changed:
            in_time = self._changed.wait_for(found, BOUND)
            assert in_time, f"no {text!r} in {self.shown!r}"
            start, self._seen = self._seen, self.shown.index(text, self._seen) + len(text)
            return self.shown[start : self._seen]

    def type(self, line: str) -> None:
        """A line, and the key Enter."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def press_ctrl_d(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def press_ctrl_c(self) -> None:
        """A program that did not read yet, only was about to, notices it at the next line."""
        self.process.send_signal(signal.SIGINT)
        with suppress(BrokenPipeError):
            assert self.process.stdin is not None
            os.write(self.process.stdin.fileno(), b"after Ctrl-C\n")

    def end(self) -> str:
        """Wait for its end, and return what it showed since the last `wait_for`."""
        assert self.process.wait(BOUND) == 0, self.shown
        self._reader.join(BOUND)
        return self.shown[self._seen :]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(BOUND)
        self._reader.join(BOUND)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
