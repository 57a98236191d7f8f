"""What a Redis or Valkey server says of itself, and which of its settings would lose records."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import redis

from simstore.domain.maintenance import Inspection

Answers = Mapping[str, Any]
"""What INFO or CONFIG GET answered, as redis-py parses it."""

NOT_SEEN = "not allowed to see"
"""The fact where the server does not tell: managed ones have no CONFIG, an ACL may forbid it."""

OLDEST_REDIS = (6, 2)

_SETTINGS = ("maxmemory", "maxmemory-policy", "appendonly", "appendfsync", "save")

_FAILURES = (
    ("rdb_last_bgsave_status", "the last snapshot failed: what was written since is not in one"),
    ("aof_last_bgrewrite_status", "the append-only file could not be rewritten: it only grows"),
    ("aof_last_write_status", "the append-only file could not be written: writes may be lost"),
)

_HOW = "in the server's configuration, or by CONFIG SET"


def inspect_server(client: redis.Redis) -> Inspection:
    """Ask a server what it is and how it keeps records.

    What it does not let the user see is named as such; other errors are redis-py's.
    """
    return inspection_of(_info(client), _settings(client))


def together(inspections: Sequence[Inspection]) -> Inspection:
    """What the nodes of a cluster say of themselves: each different answer once."""
    if len(inspections) == 1:
        return inspections[0]
    names = dict.fromkeys(name for each in inspections for name in each.facts)
    facts = {
        name: "; ".join(
            dict.fromkeys(each.facts[name] for each in inspections if name in each.facts)
        )
        for name in names
    }
    warnings = dict.fromkeys(warning for each in inspections for warning in each.warnings)
    return Inspection({"primaries": str(len(inspections)), **facts}, tuple(warnings))


def _info(client: redis.Redis) -> Answers | None:
    try:
        info: Answers = client.info()
    except redis.ResponseError:
        return None
    return info


def _settings(client: redis.Redis) -> Answers | None:
    settings: dict[str, Any] = {}
    for name in _SETTINGS:  # one by one: before 7.0, CONFIG GET takes a single name
        try:
            settings.update(client.config_get(name))
        except redis.ResponseError:
            return None
    return settings


def inspection_of(info: Answers | None, settings: Answers | None) -> Inspection:
    """What the answers to INFO and to CONFIG GET mean; None is one that was refused."""
    server = _Server(info, settings)
    facts = {
        "server": server.name,
        "mode": server.mode,
        "role": server.role,
        "modules": server.modules,
        "memory": server.memory,
        "eviction": server.eviction,
        "persistence": server.persistence,
    }
    return Inspection(facts, tuple(server.warnings()))


class _Server:
    """What the answers say; each property is a fact, in words."""

    def __init__(self, info: Answers | None, settings: Answers | None) -> None:
        self._info = info or {}
        self._settings = settings or {}
        appended = self._either("appendonly", "aof_enabled")
        self._appended = None if appended is None else str(appended) in {"yes", "1"}
        self._flushed: str | None = self._settings.get("appendfsync")
        self._snapshots = _snapshots(self._settings.get("save"))
        limit = self._either("maxmemory", "maxmemory")
        self._limit = None if limit is None else int(limit)
        self._policy: str | None = self._either("maxmemory-policy", "maxmemory_policy")

    def _either(self, setting: str, known: str) -> Any:
        return self._settings.get(setting, self._info.get(known))

    @property
    def name(self) -> str:
        if "valkey_version" in self._info:
            return f"Valkey {self._info['valkey_version']}"
        version = self._info.get("redis_version")
        return NOT_SEEN if version is None else f"Redis {version}"

    @property
    def mode(self) -> str:
        return str(self._info.get("redis_mode") or self._info.get("server_mode") or NOT_SEEN)

    @property
    def role(self) -> str:
        role = self._info.get("role")
        return {None: NOT_SEEN, "master": "primary", "slave": "replica"}.get(role, str(role))

    @property
    def modules(self) -> str:
        if not self._info:
            return NOT_SEEN
        modules = [
            f"{module['name']} {_module_version(module['ver'])}"
            for module in self._info.get("modules", ())
        ]
        return ", ".join(sorted(modules, key=str.lower)) or "none"

    @property
    def memory(self) -> str:
        used = self._info.get("used_memory")
        limit = {None: "a limit that may not be seen", 0: "no limit"}.get(self._limit)
        if used is None:
            return NOT_SEEN if self._limit is None else f"of {limit or _size(self._limit)}"
        return f"{_size(used)} used, {limit or f'of {_size(self._limit or 0)}'}"

    @property
    def eviction(self) -> str:
        return self._policy or NOT_SEEN

    @property
    def persistence(self) -> str:
        if self._appended is None and self._snapshots is None:
            return NOT_SEEN
        kept: list[str] = []
        if self._appended:
            kept.append(f"append-only file, flushed: {self._flushed or NOT_SEEN}")
        if self._snapshots:
            kept.append(f"snapshots, {', '.join(f'{s} s after {n}' for s, n in self._snapshots)}")
        elif self._snapshots is None:
            kept.append(f"snapshots: {NOT_SEEN}")
        return "; ".join(kept) or "none"

    def warnings(self) -> Iterator[str]:
        yield from self._of_the_server()
        yield from self._of_persistence()
        yield from self._of_failures()
        yield from self._of_eviction()

    def _of_the_server(self) -> Iterator[str]:
        version = str(self._info.get("redis_version", ""))
        if "valkey_version" not in self._info and _before(version, OLDEST_REDIS):
            oldest = ".".join(map(str, OLDEST_REDIS))
            yield (
                f"Redis {version} is not supported: update the server to Redis {oldest} or newer, "
                "or to Valkey"
            )
        if self._info.get("role") == "slave":
            yield (
                "this server is a replica: it takes no writes, and may be behind its primary. "
                "Put the primary's address into the URL"
            )

    def _of_persistence(self) -> Iterator[str]:
        if self._appended:
            if self._flushed == "everysec":
                yield (
                    "appendfsync is everysec: about one second of acknowledged writes is lost if "
                    f"the machine fails. Where that must not be, set appendfsync always {_HOW}; "
                    "for simstore server that is --fsync always"
                )
            elif self._flushed == "no":
                yield (
                    "appendfsync is no: all acknowledged writes that the operating system has not "
                    "written yet, some 30 seconds of them, are lost if the machine fails. Set "
                    f"appendfsync everysec or always {_HOW}"
                )
        elif self._appended is False and self._snapshots == ():
            yield (
                "nothing is written to the disk: all records are gone when the server stops. Set "
                f"appendonly yes {_HOW}"
            )
        elif self._appended is False and self._snapshots:
            seconds, changes = min(self._snapshots, key=lambda rule: rule[1])
            at_least = f", and for good below {changes} changes" if changes > 1 else ""
            yield (
                "records are on the disk as of the last snapshot alone: if the server fails, up "
                f"to {seconds} seconds of acknowledged writes are lost{at_least}. Set appendonly "
                f"yes {_HOW}"
            )

    def _of_failures(self) -> Iterator[str]:
        for status, failed in _FAILURES:
            if self._info.get(status, "ok") != "ok":
                yield (
                    f"{failed}. Look into the server's log, and whether its disk is full or its "
                    "folder may not be written"
                )

    def _of_eviction(self) -> Iterator[str]:
        if not self._limit or self._policy in {None, "noeviction"}:
            return
        which = (
            "records that have a time to live, before their time"
            if str(self._policy).startswith("volatile")
            else "any keys, so that records are lost and indexes are wrong"
        )
        yield (
            f"maxmemory-policy is {self._policy}: when {_size(self._limit)} are full, the server "
            f"throws away {which}. Set maxmemory-policy noeviction {_HOW}: a full server then "
            "refuses to write instead"
        )


def _snapshots(save: str | None) -> tuple[tuple[int, int], ...] | None:
    """(seconds, changes) after which a snapshot is taken, from the setting ``save``."""
    if save is None:
        return None
    numbers = [int(number) for number in save.split()]
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


def _module_version(number: int) -> str:
    """``21005`` is 2.10.5, as modules count; a small number stands for itself."""
    if number < 10_000:
        return str(number)
    return f"{number // 10_000}.{number // 100 % 100}.{number % 100}"


def _before(version: str, oldest: tuple[int, ...]) -> bool:
    parts = version.split(".")
    if not all(part.isdigit() for part in parts[: len(oldest)]):
        return False
    return tuple(map(int, parts[: len(oldest)])) < oldest


def _size(count: int) -> str:
    """``1.5 MB``: a number of bytes, in units of 1,000."""
    size, units = float(count), ["bytes", "kB", "MB", "GB", "TB"]
    while size >= 1_000 and len(units) > 1:
        size, units = size / 1_000, units[1:]
    return f"{size:.3g} {units[0]}"
