"""The document that the project was made from: its programs run, in order, on every backend."""

import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from simstore import sotopia
from simstore.domain.store import Store
from simstore.samples import sample_path
from simstore.services import import_records
from tests.integration import seed_document as seed
from tests.servers.binaries import both_modules, redis_binary
from tests.servers.fixtures import own_database
from tests.servers.redis_server import RedisServer

pytestmark = pytest.mark.skipif(
    not seed.FOLDER.is_dir(), reason="the document is not beside this checkout, in ../shared/seed"
)

SERVERS = {
    "redis": "valkey_server",
    "redis+cluster": "redis_cluster",
    "redis+om": "redis_server",
}


IN_PLACE = "in Sotopia's layout"


@pytest.fixture(params=["memory", "sqlite", *SERVERS, IN_PLACE])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store, bound."""
    url = {"memory": "memory://", "sqlite": f"sqlite:///{tmp_path}/seed.db"}.get(request.param)
    if request.param == IN_PLACE:  # a server of its own: Sotopia's keys have no namespace
        folder = tmp_path / "redis"
        folder.mkdir()
        with (
            RedisServer(redis_binary(), both_modules(), folder) as server,
            sotopia.bind(f"{server.url_for(scheme='redis+om')}?layout=sotopia") as store,
        ):
            yield store
        return
    if url is None:
        server = request.getfixturevalue(SERVERS[request.param])
        url = own_database(f"{request.param}://{server.url.partition('://')[2]}")
    with sotopia.bind(url) as store:
        yield store


def test_every_program_runs_in_the_order_given(
    store: Store,
    valkey_server: RedisServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for path in sample_path().glob("*.jsonl"):
        import_records(path, store)
    # The document names these without importing them.
    namespace = {
        "__name__": "__main__",
        "AgentProfile": sotopia.AgentProfile,
        "EnvironmentProfile": sotopia.EnvironmentProfile,
    }
    programs = seed.programs()
    assert len(programs) == 5
    for program in programs:
        here = program.replace("redis.Redis()", f"redis.Redis.from_url({valkey_server.url!r})")
        exec(here, namespace)  # noqa: S102 — the document's programs, read above
    namespace["r"].close()  # type: ignore[attr-defined]  # the first program's client
    assert capsys.readouterr().out == "b'value'\nAlice 30\nAlice 30\n"
    assert sotopia.jsonl_to_episodes("episodes.jsonl") == sotopia.EpisodeLog.all()
    assert sotopia.jsonl_to_agentprofiles("agent_profiles.jsonl") == sotopia.AgentProfile.all()
    environments = sotopia.jsonl_to_environmentprofiles("environment_profiles.jsonl")
    assert environments == sotopia.EnvironmentProfile.all()
    assert (len(sotopia.EpisodeLog.all()), len(environments)) == (4, 4)


@pytest.mark.parametrize("function", seed.functions() if seed.FOLDER.is_dir() else ())
def test_every_function_of_its_table_has_its_signature(function: seed.Function) -> None:
    signature = inspect.signature(getattr(sotopia, function.name))
    shown = [str(argument).replace("'", '"') for argument in signature.parameters.values()]
    expected = [_qualified(argument) for argument in function.arguments]
    assert [_qualified(argument) for argument in shown] == expected
    returned = inspect.formatannotation(signature.return_annotation)
    assert _qualified(returned) == function.returns


def test_its_table_was_read() -> None:
    assert len(seed.functions()) == 16


def _qualified(text: str) -> str:
    """`text` without the modules of its classes."""
    for module in ("simstore.sotopia.records.", "simstore.domain.episodes."):
        text = text.replace(module, "")
    return text
