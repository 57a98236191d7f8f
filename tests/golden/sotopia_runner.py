"""Runs scripts that import from ``simstore.sotopia`` on the sotopia package itself.

It runs where its versions of redis-om, redis and pydantic are installed, and needs nothing else;
`simstore.bench.process` talks with it. Its setting is ``{"url": the server's}``. A request is
``{"do": "indexes"}``, which makes those that are not there, as importing does; or ``{"do": "run",
"script": path, "folder": where}``, and the answer ``{"printed": text, "failed": its traceback or
""}``.
"""

import contextlib
import importlib
import importlib.util
import io
import json
import os
import runpy
import sys
import traceback
import types
from typing import Any


def stand_in(url: str) -> Any:
    """A module ``simstore.sotopia`` that has Sotopia's names, and redis-om's."""
    found = importlib.util.find_spec("sotopia")  # which runs nothing of it
    assert found is not None
    assert found.submodule_search_locations is not None
    writer = importlib.import_module("sotopia_database_writer")  # which lies beside this file
    database = writer.load_data_layer(found.submodule_search_locations[0], url)
    module = types.ModuleType("simstore.sotopia")
    for package in (importlib.import_module("redis_om"), database):
        module.__dict__.update(vars(package))
    sys.modules["simstore"] = types.ModuleType("simstore")
    sys.modules["simstore.sotopia"] = module
    return module


def run(script: str, folder: str) -> dict[str, str]:
    """Run it as a program."""
    os.chdir(folder)
    printed, failed = io.StringIO(), ""
    with contextlib.redirect_stdout(printed):
        try:
            runpy.run_path(script, run_name="__main__")
        except Exception:  # noqa: BLE001 — it is told
            failed = traceback.format_exc()
    return {"printed": printed.getvalue(), "failed": failed}


def main() -> None:
    """Answer requests until there are no more."""
    module = stand_in(json.loads(sys.stdin.readline())["url"])
    print(json.dumps({"works": [], "versions": {}}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        if request.pop("do") == "indexes":
            module.Migrator().run()
            print("{}", flush=True)
        else:
            print(json.dumps(run(**request)), flush=True)


if __name__ == "__main__":
    main()
