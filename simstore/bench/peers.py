"""What is used without simstore, and measured beside it."""

import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from simstore.bench.entrants import Entrant
from simstore.bench.environments import Environment, python_of
from simstore.bench.servers import bench_server
from simstore.domain.errors import BenchmarkError, MissingDependencyError

Server = Literal["plain", "modules"]
"""A Redis: without modules, or with RedisJSON and the query engine."""


@dataclass(frozen=True)
class Peer:
    """One of them: a program of `simstore.bench.workers`, and what it runs on."""

    name: str
    detail: str
    program: str
    """The name of its module."""
    environment: Environment | None = None
    """The packages that it needs; None is simstore's own Python."""
    server: Server | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    """What its program is told."""
    in_process: bool = False
    """Whether it keeps records in its own memory."""


_REDIS_OM = Environment(
    "redis-om",
    ("redis-om==1.2.0", "redis==8.1.0", "hiredis==3.5.0", "pydantic==2.14.4", "orjson==3.13.0"),
)
# redis-om, redis and pydantic as in Sotopia's lock. It needs much more, but not for its data layer.
_SOTOPIA = Environment(
    "sotopia",
    ("redis-om==0.3.2", "redis==5.1.1", "hiredis==3.5.0", "pydantic==2.9.2", "rich==14.3.4"),
    alone=("sotopia==0.1.5",),
)

PEERS = (
    Peer(
        "redis-om 1.2.0",
        "used directly: JSON documents and a search index",
        "redis_om",
        _REDIS_OM,
        "modules",
    ),
    Peer(
        "Sotopia on Redis",
        "its own data layer, with redis-om 0.3.2",
        "sotopia",
        _SOTOPIA,
        "modules",
        {"storage": "redis"},
    ),
    Peer(
        "Sotopia on files",
        "its own data layer, with a JSON file for each record",
        "sotopia",
        _SOTOPIA,
        options={"storage": "local"},
    ),
    Peer(
        "redis-py by hand",
        "ready-made JSON in pipelines, read as dicts: no models",
        "redis_py",
        _REDIS_OM,
        "plain",
    ),
    Peer(
        "copy.deepcopy",
        "a dict of deep copies, as in a test double",
        "deep_copy",
        in_process=True,
    ),
)
"""All of them, in the order in which they are shown."""

_PROGRAMS = Path(__file__).parent / "workers"


def usual_peers(folder: Path, servers: ExitStack, left_out: dict[str, str]) -> list[Entrant]:
    """All peers; those that cannot be had here are named in `left_out`, with the reason.

    The first time their environments are made, which takes a minute or so.

    Raises:
        MissingDependencyError: simstore's extra ``bench-peers`` is not installed.
    """
    entrants = []
    for peer in PEERS:
        try:
            entrants.append(peer_entrant(peer, folder, servers))
        except BenchmarkError as error:
            left_out[peer.name] = str(error)
    return entrants


def peer_entrant(peer: Peer, folder: Path, servers: ExitStack) -> Entrant:
    """A peer, ready to run: its environment is made if it is not there, its server started.

    Raises:
        MissingDependencyError: simstore's extra ``bench-peers`` is not installed.
        BenchmarkError: its packages cannot be installed, or there is no server for it.
    """
    own = Path(tempfile.mkdtemp(dir=folder))
    command, variables = _command(peer, own)
    server = None
    if peer.server is not None:
        try:
            starting = bench_server(own / "server", modules=peer.server == "modules")
            server = servers.enter_context(starting)
        except MissingDependencyError as error:
            raise BenchmarkError(str(error)) from error
    return Entrant(
        peer.name,
        peer.detail,
        command,
        peer=True,
        environment=variables,
        options=peer.options,
        server=server,
        in_process=peer.in_process,
    )


def _command(peer: Peer, folder: Path) -> tuple[list[str], dict[str, str]]:
    """What starts a peer, and the variables that it needs."""
    program = f"simstore.bench.workers.{peer.program}"
    if peer.environment is None:
        return [sys.executable, "-P", "-m", program], {}
    python = python_of(peer.environment)
    # Of simstore, that Python finds the programs alone: the folders above them have no files. -P
    # keeps it from a checkout in which the benchmark was started.
    (folder / "simstore" / "bench").mkdir(parents=True)
    (folder / "simstore" / "bench" / "workers").symlink_to(_PROGRAMS, target_is_directory=True)
    return [str(python), "-P", "-m", program], {"PYTHONPATH": str(folder)}
