"""What is measured: the works, in the order in which a round does them."""

from typing import Literal, NamedTuple

Unit = Literal["record", "call"]


class Work(NamedTuple):
    """Something that every contender does if it can."""

    name: str
    title: str
    unit: Unit
    changes: bool = False
    """Whether later works of a round stand on it."""


WORKS = (
    Work("save", "save, one by one", "record", changes=True),
    Work("save_many", "save_many", "record", changes=True),
    Work("get", "get, one by one", "record"),
    Work("get_many", "get_many", "record"),
    Work("find_10", "find 10", "call"),
    Work("find_half", "find half", "record"),
    Work("all", "all", "record"),
    Work("pks", "pks of all", "call"),
    Work("count", "count of half", "call"),
    Work("project", "project 2 indexed fields", "record"),
    Work("update", "update one record from 4 threads", "call"),
    Work("export_jsonl", "export to Sotopia's JSON lines", "record"),
    Work("export_csv", "export to Sotopia's CSV", "record"),
    Work("broker", "message, published and received", "call"),
    Work("agent_save", "save, 1 KB agent, one by one", "record"),
    Work("agent_get", "get, 1 KB agent, one by one", "record"),
    Work("delete_many", "delete_many", "record", changes=True),
    Work("import_jsonl", "import Sotopia's JSON lines", "record", changes=True),
)
"""A round begins and ends without episodes.

`save` keeps a tenth of the episodes, which are cleared before `save_many`; `get` reads a quarter.
"""

LINK_WORKS = (
    "save",
    "save_many",
    "get",
    "get_many",
    "find_10",
    "all",
    "pks",
    "count",
    "project",
    "update",
    "broker",
    "delete_many",
)
"""Those that are done over a link as well."""

GROWTH_WORKS = (
    Work("grown_get", "get", "call"),
    Work("grown_find", "find 10", "call"),
    Work("grown_count", "count of 10", "call"),
    Work("grown_page", "first page of 10 pks", "call"),
    Work("grown_pks", "pks of all", "record"),
    Work("grown_project", "project 2 indexed fields of all", "record"),
)
"""Those that are done among more and more agents; and `save_many` of those that come."""

ALL_IDS = Work("small_pks", "all ids", "call")
"""Of very many small records, over a link."""
