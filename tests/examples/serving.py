"""The app of `examples/fastapi_app.py` behind a real server, in a thread or in a process."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import uvicorn

from examples.fastapi_app import app, get_store
from simstore import Store
from simstore.server.ports import LOOPBACK, free_port, is_free

ROOT = Path(__file__).resolve().parents[2]

BOUND = 20.0
"""Seconds within which all happens that is waited for; a slow machine needs some of them."""


def eventually(holds: Callable[[], object], what: str) -> None:
    """Wait until `holds` is true."""
    end = time.monotonic() + BOUND
    while not holds():
        assert time.monotonic() < end, f"not within {BOUND} s: {what}"
        time.sleep(0.01)


class Served:
    """An app at a port of its own, which it keeps when it is stopped and started again."""

    def __init__(self) -> None:
        self.port = free_port()

    def start(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}/"

    def ws(self, path: str) -> str:
        return f"ws://{LOOPBACK}:{self.port}/{path}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class InThread(Served):
    """In this process, with `store` in the place of the app's own."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store
        self.loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        async def given() -> Store:
            self.loop = asyncio.get_running_loop()
            return self.store

        app.dependency_overrides[get_store] = given
        # Its log goes to this process's, where a test finds it.
        config = uvicorn.Config(app, port=self.port, log_config=None, lifespan="off")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()
        eventually(lambda: self.server.started, "the server is up")

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(BOUND)
        assert not self.thread.is_alive(), "the server does not end"
        app.dependency_overrides.clear()

    @property
    def is_idle(self) -> bool:
        """Whether nobody is connected, and no task is left of those who were."""
        tasks = asyncio.all_tasks(self.loop) if self.loop else set()
        return not self.server.server_state.connections and len(tasks) <= 1  # the server's own


class InProcess(Served):
    """As the README says, with the URL of a store in the environment."""

    def __init__(self, store_url: str) -> None:
        super().__init__()
        self.environment = {**os.environ, "SIMSTORE_URL": store_url}

    def start(self) -> None:
        command = [sys.executable, "-W", "error", "-m", "uvicorn", "examples.fastapi_app:app"]
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port)],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        eventually(lambda: not is_free(self.port), "the server is up")

    def stop(self) -> None:
        self.process.terminate()
        try:
            log, _ = self.process.communicate(timeout=BOUND)
        finally:
            self.process.kill()
        assert "Traceback" not in log, log
        assert "Finished server process" in log, log
