"""The shipped kit keeps all of its tests: none hides another of the same name."""

from collections import Counter

from simstore.testing import RepositoryContract, StoreContract


class Both(RepositoryContract, StoreContract):
    """What a backend binds."""

    __test__ = False


def test_no_contract_hides_another_s_test() -> None:
    defined = Counter(
        name for base in Both.__mro__ for name in vars(base) if name.startswith("test_")
    )
    assert len(defined) > 50
    assert {name: times for name, times in defined.items() if times > 1} == {}
