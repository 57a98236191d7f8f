"""Every record of simstore, whatever it holds, comes back from every embedded backend as it was."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

import simstore
from simstore.domain.messaging import MessageTransaction
from simstore.testing import identical
from simstore.testing.records import MAX_AGENTS, RECORDS, message_transactions


@pytest.fixture(scope="module", params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[simstore.Store]:
    """One store for all examples: they overwrite each other's records."""
    path: Path = tmp_path_factory.mktemp("database") / "records.db"
    url = "memory://" if request.param == "memory" else f"sqlite:///{path}?synchronous=normal"
    with simstore.connect(url) as opened:
        yield opened


@pytest.mark.parametrize("model", RECORDS, ids=lambda model: model.__name__)
@given(data=st.data())
def test_a_record_comes_back_as_it_was(
    store: simstore.Store, model: type[BaseModel], data: st.DataObject
) -> None:
    item = data.draw(RECORDS[model])
    repository: simstore.Repository[Any] = store.repository(model)
    repository.save(item)
    pk = item.pk
    assert identical(repository.get(pk), item)
    assert identical(repository.find(pk=pk), [item])
    fields = list(model.model_fields)
    assert identical(repository.project(fields, pk=pk), [{f: getattr(item, f) for f in fields}])


@given(message_transactions())
def test_a_message_comes_back_from_json_as_it_was(message: MessageTransaction) -> None:
    again = MessageTransaction.model_validate_json(message.model_dump_json())
    assert identical(again, message)
    assert again.to_tuple() == (float(message.timestamp_str), message.sender, message.message)


@given(RECORDS[simstore.EpisodeLog])
def test_episodes_have_a_reward_for_each_of_one_to_six_agents(episode: simstore.EpisodeLog) -> None:
    assert 1 <= len(episode.agents) <= MAX_AGENTS
    assert len(episode.rewards) == len(episode.agents)
