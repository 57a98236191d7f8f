"""Several processes on one database at once."""

import os
import subprocess
import sys

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


class ProcessContract(Binding):
    """What threads may do, processes may."""

    def test_no_process_loses_what_another_writes(self, open_store: OpenStore) -> None:
        with open_store() as store:
            need(store, Capability.MULTI_PROCESS)
            specimens = store.repository(Specimen)
            specimens.save(specimen("shared"))
            # A process begins without what the test runner put on its path.
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
            command = [sys.executable, "-c", WORK, self.full_url(store)]
            running = [
                subprocess.Popen(  # noqa: S603 — this interpreter, and the code above
                    [*command, f"p{number}", str(ROUNDS)], env=environment
                )
                for number in range(PROCESSES)
            ]
            assert [process.wait(timeout=120) for process in running] == [0] * PROCESSES
            everything = contents(specimens)
            total = str(PROCESSES * ROUNDS)
            assert specimens.find(tag=total) == [
                specimen("shared", number=PROCESSES * ROUNDS, tag=total)
            ]
            for number in range(PROCESSES):
                written = [item for item in everything if item.pk.startswith(f"p{number} ")]
                assert len(written) == ROUNDS // 2
                assert specimens.find(tag=f"p{number}") == written
