"""Lets redis-om itself write people, read them and find them: what a user's program does.

``python -m tests.integration.redis_om_people < asked.json > answer.json`` with REDIS_OM_URL. It
asks ``{"write": [document, ...], "read": [pk, ...], "find": [name, ...]}``, and is answered with
the documents that are read, and the pks that are found by each name.
"""

import json
import sys
from typing import Any

from redis_om import (  # type: ignore[import-untyped]  # it ships no types
    EmbeddedJsonModel,
    Field,
    JsonModel,
    Migrator,
)


class Home(EmbeddedJsonModel, index=True):  # type: ignore[call-arg, misc]  # as above
    """A model within another."""

    street: str = Field(index=True, default="")
    number: int = Field(index=True, default=7)


class Person(JsonModel, index=True):  # type: ignore[call-arg, misc]  # as above
    """A user's model, with the fields of the test's."""

    name: str = Field(index=True)
    nickname: str | None = Field(index=True, default=None)
    age: int = Field(index=True, default=30)
    height: float = Field(index=True, default=1.5)
    active: bool = True
    hobbies: list[str] = Field(index=True, default=[])
    home: Home | None = None


def main() -> None:
    """Answer what is asked on standard input."""
    asked: dict[str, Any] = json.load(sys.stdin)
    Migrator().run()
    for document in asked["write"]:
        Person(**document).save()
    read = [json.loads(Person.get(pk).model_dump_json()) for pk in asked["read"]]
    found = [
        sorted(person.pk for person in Person.find(Person.name == n).all()) for n in asked["find"]
    ]
    json.dump({"read": read, "find": found}, sys.stdout)


if __name__ == "__main__":
    main()
