"""Records of `simstore.sotopia` are sorted as redis-om's are."""

import pytest

from simstore.sotopia import AgentProfile, Annotator


def test_records_are_sorted_by_pk() -> None:
    agents = [AgentProfile(pk=pk, first_name="a", last_name="b") for pk in ("b", "a", "c")]
    assert [agent.pk for agent in sorted(agents)] == ["a", "b", "c"]
    assert min([*agents, Annotator(pk="A", name="a", email="e")]).pk == "A"
    with pytest.raises(TypeError, match="not supported"):
        sorted([agents[0], "text"])  # type: ignore[type-var]
