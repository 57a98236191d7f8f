"""The memory backend fulfils the contract of the broker."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest

import simstore
from simstore.testing import BrokerContract, OpenStore, broker_machine


@contextmanager
def new_database() -> Iterator[OpenStore]:
    url = f"memory://{uuid4().hex}"
    yield lambda: simstore.connect(url)


class TestMemoryBroker(BrokerContract):
    @pytest.fixture
    def open_store(self) -> Iterator[OpenStore]:
        with new_database() as open_store:
            yield open_store


TestMemoryBrokerMachine = broker_machine(new_database).TestCase
