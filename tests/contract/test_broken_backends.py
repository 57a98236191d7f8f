"""The kit is no rubber stamp: each of these broken backends fails it, and a sound one does not."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis.stateful import run_state_machine_as_test

from simstore.testing import OpenStore, RepositoryMachine, repository_machine
from tests.contract.broken import STORES, open_broken
from tests.contract.catching import SETTINGS, SHORT, broken_rules

pytest_plugins = ("pytester",)

CAUGHT_BY = {
    "IgnoresUnequal": {
        "test_unequal_is_the_exact_complement_of_equal",
        "test_unequal_finds_all_but_the_one",
        "test_delete_many_by_conditions",
        "test_update_many_changes_what_fulfils_the_conditions",
    },
    "LosesTheSecondPage": {
        "test_after_pages_without_gap_or_overlap",
        "test_pks_come_in_pages",
        "test_the_page_after_a_pk_that_is_gone",
        "test_many_come_in_pages",
    },
    "LosesTheSecondBatch": {
        "test_iterate_gives_every_record_once_whatever_the_batch",
        "test_iterate_takes_conditions",
        "test_many_come_in_pages",
    },
    "LeaksAliases": {"test_a_change_of_what_was_read"},
    "ReturnsExpiredRecords": {
        "test_an_expired_record_is_in_no_answer",
        "test_an_expired_record_is_in_no_index",
        "test_an_expired_record_is_not_found_by_its_pk",
        "test_delete_many_does_not_count_what_has_expired",
        "test_saving_with_a_ttl_makes_it_mortal",
    },
    "CountsExpiredRecords": {
        "test_an_expired_record_is_in_no_answer",
        "test_an_expired_record_is_in_no_index",
    },
    "DropsAnIndexEntry": {
        "test_every_text_can_be_replaced_and_deleted",
        "test_two_stores_see_each_others_writes",
        "test_the_index_stays_true_to_the_documents",
    },
    "LosesUpdates": {
        "test_a_stale_version_is_a_conflict",
        "test_a_version_works_once",
        "test_of_all_who_save_one_version_one_wins",
    },
    "SortsNoneFirst": {"test_order_by_a_field_ties_by_pk_and_none_last"},
    "IgnoresCase": {"test_equality_by_keyword_is_exact_too"},
    "NamesEmptyCollections": {
        "test_one_of_an_unknown_model_is_named_too",
        "test_it_is_gone_with_its_last_record",
    },
    "SeesNoFault": {
        "test_a_fault_is_named_and_mended",
        "test_a_repair_is_of_one_collection",
        "test_many_faults_are_all_mended",
    },
    "SeesFaultsThatAreNone": {"test_what_is_written_leaves_no_index_fault"},
    "MendsNothing": {
        "test_a_fault_is_named_and_mended",
        "test_a_repair_is_of_one_collection",
        "test_many_faults_are_all_mended",
    },
    "MendsUnasked": {"test_a_fault_is_named_and_mended"},
    "MendsTheFirst": {"test_many_faults_are_all_mended"},
    "MendsByTouching": {"test_the_time_that_is_left_outlives_a_repair"},
    "TellsThePassword": {"test_an_inspection_does_not_tell_the_password"},
    "TellsNumbers": {"test_an_inspection_is_of_texts"},
    "LosesWhatItLeftOut": {
        "test_many_are_found_as_if_each_were_looked_at",
        "test_of_many_those_are_deleted_that_a_condition_finds",
    },
    "FindsNoMoreThanMany": {"test_many_are_found_as_if_each_were_looked_at"},
    "KeepsAnOldOrder": {
        "test_answers_follow_the_changes_of_many",
        "test_of_many_those_are_deleted_that_a_condition_finds",
    },
    "PutsBatchesInOrder": {"test_many_are_put_in_order"},
    "DeletesOneBatch": {
        "test_of_many_those_are_deleted_that_a_condition_finds",
        "test_delete_many_takes_more_than_one_batch",
    },
    "UpdatesTwice": {
        "test_update_many_of_more_than_two_batches",
        "test_what_still_fulfils_the_conditions_is_changed_once",
    },
    "WritesOverAnything": {
        "test_update_many_begins_anew_where_somebody_else_writes",
        "test_update_many_goes_on_until_nobody_else_writes",
        "test_what_does_not_fulfil_the_conditions_any_more_is_passed_over",
        "test_what_was_deleted_meanwhile_does_not_come_back",
    },
    "WritesForEver": {"test_update_many_keeps_the_time_that_is_left"},
    "HalfATransaction": {
        "test_an_exception_discards_it",
        "test_its_writes_appear_together_at_its_end",
        "test_a_change_of_what_it_read_is_a_conflict",
    },
}
"""Each broken backend, and the rules that it must be found to break."""

BEYOND_THE_MACHINE = {
    "IgnoresCase", "NamesEmptyCollections", "SeesNoFault", "SeesFaultsThatAreNone", "MendsNothing",
    "MendsUnasked", "MendsTheFirst", "MendsByTouching", "TellsThePassword", "TellsNumbers",
    "LosesWhatItLeftOut", "FindsNoMoreThanMany", "KeepsAnOldOrder", "PutsBatchesInOrder",
    "DeletesOneBatch", "UpdatesTwice", "WritesOverAnything", "WritesForEver",
}  # fmt: skip
"""The machine asks one repository of few records, by conditions; not by keywords, the store, or
for upkeep. It has one thread, and a change that it makes again comes to the same."""


def failures(pytester: pytest.Pytester, name: str, rules: set[str]) -> set[str]:
    """Which of `rules` that backend breaks."""
    binding = f"""
        import pytest
        from simstore.testing import RepositoryContract, StoreContract
        from tests.contract import broken

        class TestBroken(RepositoryContract, StoreContract):
            @pytest.fixture
            def open_store(self):
                return broken.open_broken({name!r})

            def spoil_index(self, store, collection, pk, kind):
                broken.spoil_index(store, collection, pk, kind)

            def full_url(self, store):
                return broken.FULL_URL
        """
    return broken_rules(pytester, binding, rules)


def test_every_broken_backend_is_tried() -> None:
    assert set(STORES) == {"Sound", *CAUGHT_BY}


@pytest.mark.parametrize("name", CAUGHT_BY)
def test_the_contract_catches(pytester: pytest.Pytester, name: str) -> None:
    assert CAUGHT_BY[name] <= failures(pytester, name, CAUGHT_BY[name])


def test_the_same_rules_hold_for_a_sound_backend(pytester: pytest.Pytester) -> None:
    assert failures(pytester, "Sound", set().union(*CAUGHT_BY.values())) == set()


def machine(name: str) -> type[RepositoryMachine]:
    @contextmanager
    def new_database() -> Iterator[OpenStore]:
        yield open_broken(name)

    return repository_machine(new_database)


@pytest.mark.parametrize("name", sorted(CAUGHT_BY.keys() - BEYOND_THE_MACHINE))
def test_the_machine_catches(name: str) -> None:
    with pytest.raises((AssertionError, ExceptionGroup)):
        run_state_machine_as_test(machine(name), settings=SETTINGS)


def test_the_machine_passes_a_sound_backend() -> None:
    run_state_machine_as_test(machine("Sound"), settings=SHORT)
