"""The contracts hold where everything takes many batches: no page is the last by its size alone."""

import pytest

from simstore.adapters import bulk, reading
from tests.contract import test_memory

PKS = 3
DOCUMENTS = 2


class TestSmallBatches(test_memory.TestMemory):
    @pytest.fixture(autouse=True)
    def small_batches(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # By name: a module that no longer has its own takes it from `reading`.
        for module in (reading, bulk):
            for name, size in (("PKS_AT_A_TIME", PKS), ("DOCUMENTS_AT_A_TIME", DOCUMENTS)):
                if hasattr(module, name):
                    monkeypatch.setattr(module, name, size)
        assert (reading.PKS_AT_A_TIME, reading.DOCUMENTS_AT_A_TIME) == (PKS, DOCUMENTS)
