"""redis-om, used directly: its models have the fields of simstore's, indexed where those are.

A program: see `loop`.
"""

import os
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from simstore.bench.workers import documents
from simstore.bench.workers.active_records import ActiveRecords
from simstore.bench.workers.loop import Setting, run
from simstore.bench.workers.server import used_memory

BATCH = 500
"""So many records a pipeline or find: each would take all that it is given at once."""


class RedisOm(ActiveRecords):
    """redis-om on a server with RedisJSON and the query engine."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        # It reads the address when it is imported, and each model keeps a connection from then on.
        os.environ["REDIS_OM_URL"] = f"redis://{setting.host}:{setting.port}"
        self.episode, self.agent, self.annotator = _models()
        if setting.owner:
            self.prepare()

    def versions(self) -> dict[str, str]:
        return {package: version(package) for package in ("redis-om", "redis", "pydantic")}

    @property
    def half(self) -> Any:
        return self.episode.models << [documents.HALF]

    def get_all(self, pks: Sequence[str]) -> Sequence[Any]:
        return [
            item
            for start in range(0, len(pks), BATCH)
            for item in self.episode.find(self.episode.pk << pks[start : start + BATCH]).all()
        ]

    def save_all(self, items: Sequence[Any]) -> None:
        for start in range(0, len(items), BATCH):
            batch = items[start : start + BATCH]
            type(batch[0]).add(batch)

    def delete_all(self, model: Any, pks: Sequence[str]) -> None:
        for start in range(0, len(pks), BATCH):
            with model.db().pipeline(transaction=False) as pipeline:
                for pk in pks[start : start + BATCH]:
                    model.delete(pk, pipeline=pipeline)
                pipeline.execute()

    def project(self, model: Any, *names: str) -> Sequence[dict[str, Any]]:
        rows: Sequence[dict[str, Any]] = model.find().values(*names).all()
        return rows

    def held(self) -> int:
        return used_memory(self.setting)


def _models() -> tuple[Any, Any, Any]:
    # Once the address is known; and it ships no types.
    from redis_om import (  # type: ignore[import-untyped]  # noqa: PLC0415
        Field,
        JsonModel,
        Migrator,
    )

    class Episode(JsonModel, index=True):  # type: ignore[call-arg, misc]
        environment: str = Field(index=True)
        agents: list[str] = Field(index=True)
        tag: str = Field(index=True)
        models: list[str] = Field(index=True)
        agent_classes: list[str] = Field(index=True)
        messages: list[list[tuple[str, str, str]]]
        reasoning: str
        rewards: list[tuple[float, dict[str, float]] | float]
        rewards_prompt: str

        class Meta:
            model_key_prefix = "Episode"

    class Agent(JsonModel, index=True):  # type: ignore[call-arg, misc]
        first_name: str = Field(index=True)
        last_name: str = Field(index=True)
        age: int = Field(index=True)
        occupation: str = Field(index=True)
        gender: str = Field(index=True)
        gender_pronoun: str
        public_info: str
        big_five: str
        moral_values: list[str]
        schwartz_personal_values: list[str]
        personality_and_values: str
        decision_making_style: str
        secret: str
        model_id: str = Field(index=True)
        mbti: str
        tag: str = Field(index=True)

        class Meta:
            model_key_prefix = "Agent"

    class Annotator(JsonModel, index=True):  # type: ignore[call-arg, misc]
        name: str = Field(index=True)
        email: str = Field(index=True)

        class Meta:
            model_key_prefix = "Annotator"

    Migrator().run()
    return Episode, Agent, Annotator


if __name__ == "__main__":
    run(RedisOm)
