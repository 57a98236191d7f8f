"""Lets the sotopia package itself write records, and read some back.

It runs where its versions of redis-om, redis and pydantic are installed, and needs nothing else::

    python sotopia_database_writer.py FOLDER URL < asked.json > answer.json

FOLDER is the unpacked package ``sotopia``, of which only the data layer is loaded; URL is the
server's. ``asked`` is ``{"write": {class: [document, ...]}, "read": {class: [pk, ...]},
"find": [[class, field, value], ...]}``, and the answer ``{"indexes": {name: definition},
"read": {class: [document, ...]}, "find": [[pk, ...], ...]}``.
"""

import contextlib
import importlib
import io
import json
import os
import sys
import types
import warnings
from typing import Any


def load_data_layer(folder: str, url: str) -> Any:
    """The module ``sotopia.database``, connected to a server."""
    # The package's own __init__ imports what talks to language models.
    package = types.ModuleType("sotopia")
    package.__path__ = [folder]
    sys.modules["sotopia"] = package
    os.environ["REDIS_OM_URL"] = url
    warnings.simplefilter("ignore")
    with contextlib.redirect_stdout(io.StringIO()):  # it greets
        database: Any = importlib.import_module("sotopia.database")
        profiles = importlib.import_module("sotopia.database.persistent_profile")
    database.EnvironmentList = profiles.EnvironmentList
    return database


def main() -> None:
    """Answer what is asked on standard input."""
    database = load_data_layer(*sys.argv[1:3])
    asked = json.load(sys.stdin)
    for name, documents in asked.get("write", {}).items():
        for document in documents:
            getattr(database, name)(**document).save()
    read = {
        name: [json.loads(getattr(database, name).get(pk).model_dump_json()) for pk in pks]
        for name, pks in asked.get("read", {}).items()
    }
    found = []
    for name, field, value in asked.get("find", []):
        model = getattr(database, name)
        found.append(sorted(item.pk for item in model.find(getattr(model, field) == value).all()))
    registry = importlib.import_module("redis_om.model.model").model_registry
    indexes = {
        model.Meta.index_name: model.redisearch_schema()
        for model in registry.values()
        if model.__module__.startswith("sotopia.database.")
    }
    json.dump({"indexes": indexes, "read": read, "find": found}, sys.stdout)


if __name__ == "__main__":
    main()
