"""Sotopia's own data layer, unchanged, on Redis or on files: as its users use it.

A program: see `loop`. The option ``storage`` is ``redis`` or ``local``.
"""

import os
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from simstore.bench.workers import documents
from simstore.bench.workers.active_records import SCANS, ActiveRecords
from simstore.bench.workers.loop import Setting, Timed, digest, run
from simstore.bench.workers.server import used_memory
from simstore.bench.workers.sotopia_files import digest_of, write_import


class Sotopia(ActiveRecords):
    """Its models and its functions for files.

    It writes and deletes many records, and reads those of many primary keys, by a loop: it has
    nothing else.
    """

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.local = setting.options["storage"] == "local"
        # It reads these when it is imported; its files lie in the user's home.
        os.environ["SOTOPIA_STORAGE_BACKEND"] = setting.options["storage"]
        os.environ["REDIS_OM_URL"] = f"redis://{setting.host}:{setting.port}"
        os.environ["HOME"] = os.environ["USERPROFILE"] = setting.folder
        self.package: Any = import_module("sotopia.database")
        self.episode = self.package.EpisodeLog
        self.agent = self.package.AgentProfile
        self.annotator = self.package.Annotator
        if self.local:
            self.finds = SCANS  # it opens all files for each
        if setting.owner:
            self.prepare()

    def prepare(self) -> None:
        super().prepare()
        for number in range(documents.ENVIRONMENTS):
            self.package.EnvironmentProfile(**documents.environment(number)).save()
        write_import(self.folder / "import.jsonl", self.setting)

    def works(self) -> dict[str, Callable[[], Timed]]:
        return {
            **super().works(),
            "export_jsonl": self._export_jsonl,
            "export_csv": self._export_csv,
            "import_jsonl": self._import_jsonl,
        }

    def versions(self) -> dict[str, str]:
        packages = (
            ("sotopia", "pydantic") if self.local else ("sotopia", "redis-om", "redis", "pydantic")
        )
        return {package: version(package) for package in packages}

    @property
    def half(self) -> Any:
        # Files are found by whole values alone.
        if self.local:
            return self.episode.models == documents.episode(1)["models"]
        return self.episode.models << [documents.HALF]

    def all(self, model: Any) -> Sequence[Any]:
        records: Sequence[Any] = model.all()
        return records

    def count(self, model: Any, condition: Any) -> int:
        if self.local:
            return len(model.find(condition).all())
        return super().count(model, condition)

    # The works with files

    def _export_jsonl(self) -> Timed:
        path = self.folder / "episodes.jsonl"
        return Timed(
            lambda: self.package.episodes_to_jsonl(self.episode.all(), str(path)),
            len(self.pks),
            lambda _: digest_of(path),
        )

    def _export_csv(self) -> Timed:
        path = self.folder / "episodes.csv"
        return Timed(
            lambda: self.package.episodes_to_csv(self.episode.all(), str(path)),
            len(self.pks),
            lambda _: digest_of(path),
        )

    def _import_jsonl(self) -> Timed:
        self.clear()
        path = self.folder / "import.jsonl"

        def load() -> None:
            for item in self.package.jsonl_to_episodes(str(path)):
                item.save()

        def answer(_: object) -> str:
            return digest(
                {**self.document(item), "agent_classes": []} for item in self.episode.all()
            )

        return Timed(load, len(self.pks), answer)

    # Not measured

    def document(self, record: Any) -> documents.Document:
        plain = super().document(record)
        if isinstance(record, self.episode):
            # Its episodes have no such field: the answer is that of the others without it.
            plain["agent_classes"] = documents.AGENT_CLASSES
        return plain

    def held(self) -> int:
        if self.local:
            files = Path(self.setting.folder, ".sotopia", "data").glob("*/*.json")
            return sum(path.stat().st_size for path in files)
        return used_memory(self.setting)

    def delete_kept(self) -> None:
        super().delete_kept()
        environments = self.package.EnvironmentProfile
        self.delete_all(environments, self.all_pks(environments))


if __name__ == "__main__":
    run(Sotopia)
