"""Several processes on one database at once."""

import os
import subprocess
import sys

import pytest

from simstore.domain.store import Capability
from simstore.testing.binding import Binding, OpenStore, need
from simstore.testing.contract.helpers import contents, specimen
from simstore.testing.models import Specimen

PROCESSES = 2
ROUNDS = 40

WORK = """
import sys
import simstore
from simstore.testing.models import Specimen

def increment(item):
    item.number += 1
    item.tag = str(item.number)

url, name, rounds = sys.argv[1:]
with simstore.connect(url) as store:
    specimens = store.repository(Specimen)
    for n in range(int(rounds)):
        specimens.update("shared", increment)
        specimens.save(Specimen(pk=f"{name} {n}", tag=name))
        if n % 2:
            specimens.delete(f"{name} {n}")
"""


CONNECT = """
import sys
import simstore

try:
    simstore.connect(sys.argv[1]).close()
except simstore.StoreURLError as error:
    print(error)
"""


def run(code: str, *arguments: str) -> "subprocess.Popen[str]":
    """A process that runs `code`."""
    # It begins without what the test runner put on its path.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(  # noqa: S603 — this interpreter, and the code above
        [sys.executable, "-c", code, *arguments], env=environment, text=True, stdout=subprocess.PIPE
    )


class ProcessContract(Binding):
    """What threads may do, processes may."""

    def test_no_process_loses_what_another_writes(self, open_store: OpenStore) -> None:
        with open_store() as store:
            need(store, Capability.MULTI_PROCESS)
            url = self.full_url(store)
            why_not, _ = run(CONNECT, url).communicate(timeout=120)
            if why_not:
                pytest.skip(f"simstore.connect() does not know this store's URL: {why_not}")
            specimens = store.repository(Specimen)
            specimens.save(specimen("shared"))
            running = [run(WORK, url, f"p{number}", str(ROUNDS)) for number in range(PROCESSES)]
            for process in running:
                process.communicate(timeout=120)
            assert [process.returncode for process in running] == [0] * PROCESSES
            everything = contents(specimens)
            total = str(PROCESSES * ROUNDS)
            assert specimens.find(tag=total) == [
                specimen("shared", number=PROCESSES * ROUNDS, tag=total)
            ]
            for number in range(PROCESSES):
                written = [item for item in everything if item.pk.startswith(f"p{number} ")]
                assert len(written) == ROUNDS // 2
                assert specimens.find(tag=f"p{number}") == written
