"""The shipped kit keeps all of its tests: none hides another of the same name."""

from collections import Counter

from simstore.testing import BrokerContract, RepositoryContract, StoreContract


class All(RepositoryContract, StoreContract, BrokerContract):
    """What a backend binds."""

    __test__ = False


def test_nothing_of_one_contract_hides_another_s() -> None:
    contracts = [base for base in All.__mro__ if base.__name__.endswith("Contract")]
    # Fixtures and helpers as well as tests: a fixture that is hidden gives tests other records.
    defined = Counter(
        name for base in contracts for name in vars(base) if not name.startswith("__")
    )
    assert sum(name.startswith("test_") for name in defined) > 150
    assert {name: times for name, times in defined.items() if times > 1} == {}
