"""Reports that look as if they had been measured."""

from simstore.bench.report import (
    Contender,
    Figure,
    Machine,
    Report,
    Settings,
)
from simstore.bench.works import ALL_IDS, GROWTH_WORKS, LINK_WORKS, WORKS, Work

MACHINE = Machine(
    processor="AMD EPYC 7B13",
    cores=2,
    memory_gib=7.8,
    system="Linux x86_64",
    python="CPython 3.11.7",
)
SETTINGS = Settings(
    episodes=2000,
    kilobytes=21,
    rounds=5,
    links=[0.5, 5, 50],
    growth=[1000, 10_000, 100_000],
    ids=100_000,
    seconds_a_work=20,
)

NAMES = (
    "memory://", "sqlite://", "redis://", "redis+om://",
    "redis-om", "sotopia", "sotopia files", "redis-py by hand", "copy.deepcopy",
)  # fmt: skip
SERVED = ("redis://", "redis+om://", "redis-om", "sotopia", "redis-py by hand")

# A row a work, a column a contender, in µs; 0 is what it does not do.
MEDIANS = {
    "save":         (68,   923,  412,  498, 1081, 570, 481,   241,    190),
    "save_many":    (64,   235,  130,  152,  710, 420,   0,   109,    188),
    "get":          (31,   169,  452,  478,  958, 569, 200,   267,    190),
    "get_many":     (30,   117,  118,  131,    0,   0,   0,   142,      0),
    "find_10":      (330, 1310, 1640, 1922, 5649, 4980, 191_000, 2260,  0),
    "find_half":    (31,   121,  124,  128,  472, 380, 192,   160,      0),
    "all":          (30,   107,  125,  133,  519, 243, 271,   145,      0),
    "pks":          (61,   420, 3126, 3010, 141_032, 76_400, 9800, 1100, 0),
    "count":        (44,    96,  446,  431, 3195, 2100,  0,   388,      0),
    "project":      (1.9,  2.4,  9.8, 11.2,  535, 250, 270,     0,      0),
    "update":       (72,  1310,  980, 1104,    0,   0,   0,     0,      0),
    "export_jsonl": (102,  179,  197,  201, 3450, 2443, 2380,   0,      0),
    "export_csv":   (606,  419,  690,  702, 2349, 2712, 2500,   0,      0),
    "broker":       (12.4, 310,  340,  351,    0,   0,   0,   290,      0),
    "agent_save":   (10.2, 410, 176,  162,  229, 224,  61, 99.7,   10.9),
    "agent_get":    (3.6, 13.6,  90,  107,  198, 172,  32, 29.8,    9.3),
    "delete_many":  (4.1,   61,   22,   25,  210, 200,  88,  14.2,      0),
    "import_jsonl": (311,  268,  330,  361, 1208, 964, 612,     0,      0),
}  # fmt: skip

# What each work costs among the fewest agents, and how often that doubles for ten times as many.
GROWN = {
    "redis://": (410, 0.02),
    "memory://": (6, 0.01),
    "sqlite://": (122, 0.06),
    "redis+om://": (480, 0.1),
    "redis-om": (900, 2.4),
    "sotopia": (760, 2.1),
    "redis-py by hand": (300, 0.2),
}
# Round trips and µs of each work over a link; a record's share of a batch is a hundredth.
TRIPS = {"save": 1.0, "get": 1.0, "find_10": 2.0, "pks": 1.0, "count": 1.0, "update": 2.0}

HELD = {
    "memory://": (24_300, "in the process"),
    "sqlite://": (25_100, "in the file"),
    "redis://": (24_600, "on the server"),
    "redis+om://": (31_500, "on the server"),
    "redis-om": (29_500, "on the server"),
    "copy.deepcopy": (41_500, "in the process"),
}


def contender(name: str, /, **changed: object) -> Contender:
    place = NAMES.index(name) if name in NAMES else 0
    usual: dict[str, object] = {
        "name": name,
        "peer": place >= 4,
        "detail": {
            "memory://": "a store in this process",
            "sqlite://": "a file, synchronous=full",
            "redis://": "a Redis on loopback that keeps nothing on the disk",
            "redis+om://": "a Redis with RedisJSON and the query engine",
            "redis-om": "Sotopia's models with redis-om's calls",
            "sotopia": "Sotopia's own database module",
            "sotopia files": "Sotopia's local backend, a JSON file a record",
            "redis-py by hand": "GET, SET and sets as indexes, written for this",
            "copy.deepcopy": "a dict of deep copies",
        }.get(name, "something else"),
        "versions": {"pydantic": "2.14.3"}
        | ({"redis": "8.1.0", "Redis": "8.2.3"} if name in SERVED else {"orjson": "3.13.0"}),
        "cannot": [work for work, medians in MEDIANS.items() if not medians[place]],
    }
    return Contender.model_validate(usual | changed)


def sampled(median: float, *, seed: int, rounds: int = 5) -> list[float]:
    """Rounds around `median`, some further away than others; one is just it."""
    lean = (1.0, 0.97, 1.03, 0.94, 1.0 + 0.02 * (1 + seed % 9))
    return [median * lean[number % 5] for number in range(rounds)]


def figure(contender: str, work: Work, median: float, **changed: object) -> Figure:
    usual: dict[str, object] = {
        "part": "works",
        "contender": contender,
        "work": work.name,
        "title": work.title,
        "unit": f"µs a {work.unit}",
        "samples": sampled(median, seed=len(contender) + len(work.title)),
        "records": SETTINGS.episodes,
    }
    return Figure.model_validate(usual | changed)


def works() -> list[Figure]:
    return [
        figure(name, work, median)
        for work in WORKS
        for name, median in zip(NAMES, MEDIANS[work.name], strict=True)
        if median
    ]


def growth() -> list[Figure]:
    return [
        figure(
            name, work, least * (1 + place) * 2 ** (slope * step), part="growth", records=records
        )
        for place, work in enumerate((*GROWTH_WORKS, Work("grown_save", "save_many", "record")))
        for step, records in enumerate(SETTINGS.growth)
        for name, (least, slope) in GROWN.items()
    ]


def links() -> list[Figure]:
    named = {work.name: work for work in WORKS}
    made = []
    for link in SETTINGS.links:
        for work in (*(named[name] for name in LINK_WORKS), ALL_IDS):
            for name in SERVED:
                median = MEDIANS.get(work.name, MEDIANS["pks"])[NAMES.index(name)]
                if median:
                    trips = TRIPS.get(work.name, 0.02) * (1000 if median > 10_000 else 1)
                    records = SETTINGS.ids if work is ALL_IDS else SETTINGS.episodes
                    made.append(
                        figure(
                            name,
                            work,
                            median + trips * link * 1000,
                            part="links",
                            link=link,
                            records=records,
                        )
                    )
    return made


def memory() -> list[Figure]:
    work = Work("held", "", "record")
    return [
        figure(name, work, held, part="memory", title=title, unit="bytes a record", samples=[held])
        for name, (held, title) in HELD.items()
    ]


def whole_report(**changed: object) -> Report:
    """Four backends, five peers, all parts."""
    usual: dict[str, object] = {
        "simstore": "0.1.0",
        "date": "2026-11-28T09:30:00Z",
        "machine": MACHINE,
        "settings": SETTINGS,
        "contenders": [contender(name) for name in NAMES],
        "figures": [*works(), *growth(), *links(), *memory()],
        "left_out": {"fakeredis": "pip install 'simstore[fakeredis]'"},
    }
    return Report.model_validate(usual | changed)


def small_report(**changed: object) -> Report:
    """One backend, one work, one round."""
    usual: dict[str, object] = {
        "contenders": [contender("memory://")],
        "figures": [figure("memory://", WORKS[0], 68, samples=[68.0])],
        "left_out": {},
    }
    return whole_report(**(usual | changed))


HOSTILE = (
    "<script>document.title = 'changed'</script> a|b `c` [d](e) **f** $g$ [red]\n# h\r\n| i |"
    " \x1b[31m\u202e @j 漢 </style></svg>\"'&amp;"
)


def hostile_report(text: str = HOSTILE) -> Report:
    """Every text of it is `text`, in all parts."""
    work = WORKS[0]._replace(title=text)
    parts: list[dict[str, object]] = [
        {},
        {"part": "growth"},
        {"part": "growth", "records": 10},
        {"part": "links", "link": 5},
        {"part": "memory", "unit": "bytes a record"},
    ]
    return Report(
        simstore=text,
        date=text,
        machine=Machine(processor=text, cores=1, memory_gib=1, system=text, python=text),
        settings=SETTINGS,
        contenders=[
            Contender(name=text, peer=False, detail=text, versions={text: text}, cannot=[text])
        ],
        figures=[figure(text, work, 10, **part) for part in parts],
        left_out={text: text},
        disagreements=[text],
        failures=[text],
    )
