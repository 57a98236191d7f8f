"""History: the messages that are kept."""

import pytest

from simstore.domain.broker import MessageBroker
from simstore.testing.contract.messages.base import BrokerBinding, texts
from simstore.testing.messages import NOTES, OTHERS, note


class HistoryContract(BrokerBinding):
    """history() gives what is kept, from either end."""

    @pytest.fixture
    def ten_ids(self, broker: MessageBroker) -> list[str]:
        """The ids of the messages 0 to 9."""
        return broker.publish_many(NOTES, [note(f"{n}") for n in range(10)])

    @pytest.mark.parametrize("newest", [False, True], ids=("oldest", "newest"))
    @pytest.mark.parametrize("after", [None, 0, 4, 8, 9])
    @pytest.mark.parametrize("limit", [None, 0, 1, 4, 5, 10, 11, 2**53])
    def test_a_part_of_the_history(
        self,
        broker: MessageBroker,
        ten_ids: list[str],
        after: int | None,
        limit: int | None,
        newest: bool,
    ) -> None:
        expected = [f"{n}" for n in range(10) if after is None or n > after]
        if limit is not None:
            expected = expected[max(0, len(expected) - limit) :] if newest else expected[:limit]
        start = None if after is None else ten_ids[after]
        found = broker.history(NOTES, after=start, limit=limit, newest=newest)
        assert texts(found) == expected
        assert [one.id for one in found] == [ten_ids[int(text)] for text in expected]

    def test_history_comes_in_pages(self, broker: MessageBroker, ten_ids: list[str]) -> None:
        after, found = None, []
        while page := broker.history(NOTES, after=after, limit=3):
            found += texts(page)
            after = page[-1].id
        assert found == [f"{n}" for n in range(10)]

    def test_there_is_no_history_of_what_is_not_there(self, broker: MessageBroker) -> None:
        assert broker.history(NOTES) == broker.history(NOTES, limit=3, newest=True) == []
        assert broker.history(NOTES.dead_letters("g")) == []
        broker.publish(OTHERS, note("elsewhere"))
        assert broker.history(NOTES) == []

    def test_reading_history_takes_nothing_away(
        self, broker: MessageBroker, ten_ids: list[str]
    ) -> None:
        with broker.subscribe(NOTES, timeout=0) as subscription:
            assert broker.history(NOTES) == broker.history(NOTES) == list(subscription)
