"""The broker's contract is no rubber stamp: each of these broken brokers fails it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis.stateful import run_state_machine_as_test

from simstore.testing import BrokerMachine, OpenStore, broker_machine
from tests.contract.broken_brokers import BROKERS, open_broken_broker
from tests.contract.catching import SETTINGS, SHORT, broken_rules

pytest_plugins = ("pytester",)

CAUGHT_BY = {
    "LosesOneMoreAtTrim": {"test_all_but_the_newest_are_forgotten"},
    "CountsWrongAtTrim": {
        "test_all_but_the_newest_are_forgotten",
        "test_those_older_than_an_id_are_forgotten",
    },
    "RestartsIds": {"test_ids_grow_over_trimming", "test_ids_grow_over_deletion"},
    "ReadsBackwards": {"test_messages_are_in_the_order_of_their_publication"},
    "ReadsTwice": {"test_ids_lead_to_what_is_behind_them"},
    "SkipsAtRead": {"test_very_many_at_once_stay_in_order"},
    "KnowsNoNewest": {"test_a_part_of_the_history"},
    "NewIsOldest": {
        "test_a_subscription_begins_where_it_is_told",
        "test_asynchronous_iteration_begins_where_it_is_told",
    },
    "IgnoresCaseOfNames": {"test_channels_are_apart_whatever_their_names"},
    "LosesTheSign": {
        "test_every_number_arrives_as_it_was",
        "test_one_that_is_published_alone_arrives_as_it_was",
    },
    "IgnoresMaxTries": {
        "test_a_message_is_given_up_after_its_tries",
        "test_by_default_it_has_five_tries",
        "test_what_cannot_be_read_is_given_up_in_the_end",
    },
    "AcknowledgesAll": {
        "test_a_message_is_acknowledged_once",
        "test_a_consumer_that_comes_back_is_given_what_it_left_at_once",
    },
    "GivesTwice": {"test_consumers_share_without_loss_or_double"},
    "SaysEverythingWasAcknowledged": {
        "test_a_message_is_acknowledged_once",
        "test_of_all_who_acknowledge_one_does",
        "test_what_is_acknowledged_is_a_delivery_of_the_group",
    },
    "AcknowledgesWhatWasTrimmed": {"test_what_was_trimmed_does_not_come_again"},
    "LettersLackTheirOrigin": {"test_a_message_is_given_up_after_its_tries"},
    "BuriesNothing": {
        "test_a_message_is_given_up_after_its_tries",
        "test_who_waits_for_dead_letters_is_woken",
    },
    "BuriesAndGoesOn": {
        "test_a_message_is_given_up_after_its_tries",
        "test_by_default_it_has_five_tries",
        "test_behind_what_is_given_up_comes_what_is_due",
    },
    "GroupsBeginAtTheEnd": {"test_a_group_begins_where_its_first_consumer_says"},
    "EveryConsumerBeginsAnew": {"test_a_group_that_is_there_goes_on_where_it_is"},
    "EveryConsumerIsAGroup": {
        "test_each_message_is_for_one_consumer",
        "test_asynchronous_consumers_share",
        "test_one_message_wakes_one_of_a_group",
    },
    "NeverRetries": {
        "test_what_is_due_goes_to_the_next_that_asks",
        "test_it_goes_to_the_same_consumer_as_well",
        "test_it_comes_to_who_waits_for_it",
    },
    "RetriesAtOnce": {
        "test_what_another_holds_is_not_given_out",
        "test_it_is_not_due_before_its_time",
        "test_its_time_counts_from_when_it_was_last_given",
        "test_before_it_is_due_again_it_is_no_dead_letter",
    },
    "RetriesWhenAsked": {
        "test_it_comes_to_who_waits_for_it",
        "test_what_is_due_comes_to_a_task_that_waits",
    },
    "ForgetsWhoCameBack": {"test_a_consumer_that_comes_back_is_given_what_it_left_at_once"},
    "CountsNoTries": {"test_tries_are_counted"},
    "GivesNewFirst": {
        "test_what_comes_again_comes_before_what_is_new",
        "test_what_is_due_goes_to_the_next_that_asks",
    },
    "NeverForgets": {
        "test_a_channel_whose_time_is_over_is_forgotten",
        "test_groups_and_dead_letters_are_forgotten_with_it",
    },
    "TheFirstTtlCounts": {"test_the_time_of_a_channel_is_that_of_its_last_ttl"},
    "WithoutATtlItLives": {"test_the_time_of_a_channel_is_that_of_its_last_ttl"},
    "KeepsGroupsAtDelete": {"test_a_deleted_channel_is_forgotten"},
    "KeepsLettersAtDelete": {"test_a_deleted_channel_is_forgotten"},
    "IsDeaf": {
        "test_a_subscription_that_waits_is_given_what_comes",
        "test_a_consumer_that_waits_is_given_what_comes",
        "test_a_task_is_woken_by_another_task",
    },
    "HearsItselfAlone": {
        "test_all_who_wait_are_given_what_another_store_publishes",
        "test_a_task_is_woken_by_a_thread_of_another_store",
    },
    "ClosesInSilence": {
        "test_closing_a_store_wakes_who_waits_in_it_alone",
        "test_closing_a_store_wakes_tasks",
    },
    "FeedsCloseInSilence": {
        "test_closing_wakes_who_waits",
        "test_closing_wakes_who_waits_in_receive",
    },
    "ForgetsThatItIsClosed": {
        "test_what_was_opened_before_a_store_was_closed_says_so",
        "test_every_asynchronous_call_of_a_closed_store_says_so",
    },
    "TakesAThreadEach": {"test_many_subscribers_need_no_thread_each"},
    "BlocksTheLoop": {"test_other_tasks_run_while_one_waits"},
    "PublishesOneByOne": {
        "test_with_one_that_is_refused_none_is_published",
        "test_messages_that_end_in_an_error_of_the_caller_are_not_published",
        "test_a_message_spoilt_after_it_was_made",
    },
    "SharesObjects": {"test_a_message_shares_nothing_with_what_is_stored"},
    "SwallowsWhatItCannotRead": {
        "test_a_subscription_goes_on_behind_what_it_cannot_read",
        "test_receive_goes_on_behind_what_it_cannot_read",
    },
    "StopsAtWhatItCannotRead": {
        "test_a_subscription_goes_on_behind_what_it_cannot_read",
        "test_receive_goes_on_behind_what_it_cannot_read",
    },
    "IsNewTooLate": {"test_new_means_newer_than_the_call_of_subscribe"},
    "WaitsForNothing": {
        "test_receive_waits_for_ever_if_it_is_told_to",
        "test_iteration_ends_when_nothing_came_for_so_long",
    },
    "WaitsTooLong": {"test_a_subscription_that_waits_is_given_what_comes"},
    "RefusesWhoIsLate": {"test_who_took_too_long_may_still_acknowledge_it"},
    "LosesWhatIsCancelled": {"test_what_comes_while_a_task_is_cancelled_is_not_lost"},
    "LeavesTasksBehind": {"test_a_break_leaves_nothing_behind"},
    "TakesAnyTimeout": {"test_a_wrong_argument_is_refused"},
}
"""Each broken broker, and the rules that it must be found to break."""

BEYOND_THE_MACHINE = {
    "AcknowledgesWhatWasTrimmed", "IgnoresCaseOfNames", "RetriesWhenAsked", "TheFirstTtlCounts",
    "WithoutATtlItLives", "IsDeaf", "HearsItselfAlone",
    "ClosesInSilence", "FeedsCloseInSilence", "ForgetsThatItIsClosed", "TakesAThreadEach",
    "BlocksTheLoop", "WaitsForNothing", "WaitsTooLong", "RefusesWhoIsLate",
    "LosesWhatIsCancelled", "LeavesTasksBehind", "TakesAnyTimeout",
    # It finds these, after many examples; the contract finds them at once.
    "KeepsLettersAtDelete", "KeepsGroupsAtDelete", "KnowsNoNewest", "StopsAtWhatItCannotRead",
    "SwallowsWhatItCannotRead", "LosesTheSign",
}  # fmt: skip
"""The machine waits for nothing, has no event loop, is right in what it asks, and acknowledges
what it was given at once or not at all."""


def failures(pytester: pytest.Pytester, name: str, rules: set[str]) -> set[str]:
    """Which of `rules` that broker breaks."""
    binding = f"""
        import pytest
        from simstore.testing import BrokerContract
        from tests.contract import broken_brokers

        class TestBroken(BrokerContract):
            soon = {10 if name == "SoundBroker" else 0.5}

            @pytest.fixture
            def open_store(self):
                return broken_brokers.open_broken_broker({name!r})
        """
    return broken_rules(pytester, binding, rules)


def test_every_broken_broker_is_tried() -> None:
    assert set(BROKERS) == {"SoundBroker", *CAUGHT_BY}


@pytest.mark.parametrize("name", CAUGHT_BY)
def test_the_contract_catches(pytester: pytest.Pytester, name: str) -> None:
    assert CAUGHT_BY[name] <= failures(pytester, name, CAUGHT_BY[name])


def test_the_same_rules_hold_for_a_sound_broker(pytester: pytest.Pytester) -> None:
    assert failures(pytester, "SoundBroker", set().union(*CAUGHT_BY.values())) == set()


def machine(name: str) -> type[BrokerMachine]:
    @contextmanager
    def new_database() -> Iterator[OpenStore]:
        yield open_broken_broker(name)

    return broker_machine(new_database)


@pytest.mark.parametrize("name", sorted(CAUGHT_BY.keys() - BEYOND_THE_MACHINE))
def test_the_machine_catches(name: str) -> None:
    with pytest.raises((AssertionError, ExceptionGroup)):
        run_state_machine_as_test(machine(name), settings=SETTINGS)


def test_the_machine_passes_a_sound_broker() -> None:
    run_state_machine_as_test(machine("SoundBroker"), settings=SHORT)
