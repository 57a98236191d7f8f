"""The conformance kit: the repository contract as tests, for any backend, ours or yours.

A backend is bound in a few lines::

    class TestMine(RepositoryContract, StoreContract, BrokerContract):
        @pytest.fixture
        def open_store(self, tmp_path):
            return lambda: MyStore(tmp_path / "database")

    TestMachine = repository_machine(my_fresh_database).TestCase
    TestBrokerMachine = broker_machine(my_fresh_database).TestCase

Each test is one rule of the contract; the machines play random calls against a dict, and against
lists. What a
backend may lack is in `Capability`: it says so in ``store.lacks``, and the tests that need it
are skipped with that reason. No test is weakened for a backend.

Importing it needs the extra ``testing`` (pytest and hypothesis); without it, it raises
`MissingDependencyError`.
"""

from simstore.domain.errors import MissingDependencyError

try:
    import hypothesis  # noqa: F401 — asked for here, so that the error names the extra
    import pytest
except ImportError as error:
    raise MissingDependencyError("simstore.testing", extra="testing") from error

# Before the modules below are imported: else a failed assert would not show its values.
pytest.register_assert_rewrite(
    "simstore.testing.broker_machine", "simstore.testing.contract", "simstore.testing.machine"
)

from simstore.testing.binding import Binding, OpenStore  # noqa: E402 — see above
from simstore.testing.broker_machine import BrokerMachine, broker_machine  # noqa: E402
from simstore.testing.capabilities import CapabilityReport, capability_report  # noqa: E402
from simstore.testing.contract import (  # noqa: E402
    BrokerContract,
    RepositoryContract,
    StoreContract,
)
from simstore.testing.fake_redis import fake_redis  # noqa: E402
from simstore.testing.identity import identical  # noqa: E402
from simstore.testing.machine import RepositoryMachine, repository_machine  # noqa: E402
from simstore.testing.models import Specimen  # noqa: E402
from simstore.testing.oracle import Oracle  # noqa: E402

__all__ = [
    "Binding",
    "BrokerContract",
    "BrokerMachine",
    "CapabilityReport",
    "OpenStore",
    "Oracle",
    "RepositoryContract",
    "RepositoryMachine",
    "Specimen",
    "StoreContract",
    "broker_machine",
    "capability_report",
    "fake_redis",
    "identical",
    "repository_machine",
]
