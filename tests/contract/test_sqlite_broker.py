"""The sqlite backend fulfils the contract of the broker."""

from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

import pytest

import simstore
from simstore.testing import BrokerContract, OpenStore, broker_machine


@contextmanager
def new_database() -> Iterator[OpenStore]:
    with TemporaryDirectory() as folder:
        yield lambda: simstore.connect(f"sqlite:///{folder}/database.db")


class TestSqliteBroker(BrokerContract):
    @pytest.fixture
    def open_store(self) -> Iterator[OpenStore]:
        with new_database() as open_store:
            yield open_store


TestSqliteBrokerMachine = broker_machine(new_database).TestCase
