"""Who is measured: the stores of URLs, or one of each backend that is installed here."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from simstore.adapters.url import StoreURL
from simstore.bench.servers import bench_server, server_version
from simstore.connection import connect
from simstore.domain.errors import BenchmarkError, InvalidArgumentError, MissingDependencyError
from simstore.server.ports import LOOPBACK
from simstore.server.process import ServerProcess

# -P: a file of the current folder must not stand in for a package.
STORE_COMMAND = (sys.executable, "-P", "-m", "simstore.bench.workers.store")


@dataclass(frozen=True)
class Entrant:
    """A contender, before it runs."""

    name: str
    detail: str
    command: Sequence[str]
    url: str = ""
    """``{port}`` in it is where its server listens."""
    peer: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    server: ServerProcess | None = None
    in_process: bool = False
    """Whether it keeps records in its own memory."""

    @property
    def place(self) -> str:
        """Where its records are."""
        if self.in_process:
            return "in the process"
        return "on the server" if self.server else "in the file"

    def setting(
        self, folder: Path, *, port: int | None = None, owner: bool = True
    ) -> dict[str, Any]:
        """What its process is told; `port` is another way to its server."""
        at = port or (self.server.port if self.server else 0)
        return {
            "folder": str(folder),
            "url": self.url.replace("{port}", str(at)),
            "host": LOOPBACK if at else "",
            "port": at,
            "owner": owner,
            "options": dict(self.options),
        }

    def server_versions(self) -> dict[str, str]:
        """The version of its server, if it has one of its own."""
        return {} if self.server is None else server_version(self.server)


def stores_of(urls: Sequence[str]) -> list[Entrant]:
    """An entrant for each of `urls`, whose records are kept apart from all others'.

    Raises:
        InvalidArgumentError: a URL is given twice, or has a namespace.
        SimstoreError: a store cannot be opened.
    """
    entrants: list[Entrant] = []
    for url in urls:
        parsed = StoreURL(url)
        if "namespace=" in url.partition("?")[2]:
            raise InvalidArgumentError(
                f"{parsed.shown}: leave the namespace out; the benchmark makes one of its own"
            )
        if urls.count(url) > 1:
            raise InvalidArgumentError(f"{parsed.shown} is given twice")
        same = sum(each.name.partition(" ")[0] == parsed.shown for each in entrants)
        # What is wrong with it is said before anything is measured, and of the URL as it was given.
        connect(url).close()
        namespaced = f"{url}{'&' if '?' in url else '?'}namespace=simstore-bench-{uuid4().hex[:12]}"
        with connect(namespaced) as store:
            store.episodes.count()
        entrants.append(
            Entrant(
                f"{parsed.shown} ({same + 1})" if same else parsed.shown,
                "as given",
                STORE_COMMAND,
                namespaced,
                in_process=parsed.scheme == "memory",
            )
        )
    return entrants


def usual_stores(folder: Path, servers: ExitStack, left_out: dict[str, str]) -> list[Entrant]:
    """One of each backend; those whose packages are not there are named in `left_out`."""
    entrants = [
        Entrant("memory://", "in the process", STORE_COMMAND, "memory://", in_process=True),
        Entrant(
            "sqlite://", "a file, synchronous=full", STORE_COMMAND, f"sqlite:///{folder}/bench.db"
        ),
    ]
    for name, modules, detail in (
        ("redis://", False, "a server that keeps nothing on the disk"),
        ("redis+om://", True, "the same with modules, in redis-om's shape"),
    ):
        try:
            own = folder / name.removesuffix("://")
            server = servers.enter_context(bench_server(own, modules=modules))
            connect(f"{name}{LOOPBACK}:{server.port}").close()  # the packages are there
        except (BenchmarkError, MissingDependencyError) as error:
            left_out[name] = str(error)
            continue
        url = f"{name}{LOOPBACK}:{{port}}"
        entrants.append(Entrant(name, detail, STORE_COMMAND, url, server=server))
    return entrants
