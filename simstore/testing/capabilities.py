"""What a backend may lack, and what its index answers: a report to print or to test."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from simstore.domain.query import Condition, field
from simstore.domain.store import Capability, Store
from simstore.testing.models import Specimen


class Answer(StrEnum):
    """How a kind of condition is answered."""

    INDEX = "by index"
    NARROWED = "by reading what the index finds"
    SCAN = "by reading every record"


KINDS: Mapping[str, Condition] = {
    "equality": field("tag") == "x",
    "inequality": field("tag") != "x",
    "null": field("nickname") == None,
    "in": field("tag").in_(["x", "y"]),
    "range of numbers": field("number") >= 1,
    "range of text": field("tag") < "x",
    "prefix": field("tag").startswith("x"),
    "contains": field("labels").contains("x"),
    "equality of lists": field("labels") == ["x", "y"],
    "full text": field("bio").matches("two words"),
    "embedded": field("home.label") == "x",
    "embedded in a list": field("parts.label").contains("x"),
    "and": (field("tag") == "x") & (field("number") > 1),
    "or": (field("tag") == "x") | (field("number") > 1),
    "negation": ~((field("tag") == "x") | (field("number") > 1)),
    "primary key": field("pk") == "x",
    "and, half of it indexed": (field("tag") == "x") & (field("plain_text") == "y"),
    "not indexed": field("plain_text") == "x",
}
"""An example of each kind of condition, on `Specimen`."""


@dataclass(frozen=True)
class CapabilityReport:
    """What one store can do.

    `lacks` has the missing capabilities, each with the store's reason; `answers` says of
    each kind of condition how it is answered.
    """

    url: str
    lacks: Mapping[Capability, str]
    answers: Mapping[str, Answer]

    def has(self, capability: Capability) -> bool:
        """Whether the store has `capability`."""
        return capability not in self.lacks

    def __str__(self) -> str:
        width = max(len(name) for name in [*self.answers, *(c.name for c in Capability)])
        lines = [self.url, "", "Capabilities"]
        for capability in Capability:
            reason = self.lacks.get(capability)
            verdict = "no: " + reason if reason else "yes"
            lines.append(f"  {capability.name.lower().replace('_', ' '):{width}}  {verdict}")
        lines += ["", "Conditions"]
        lines += [f"  {kind:{width}}  {answer}" for kind, answer in self.answers.items()]
        return "\n".join(lines)


def capability_report(store: Store) -> CapabilityReport:
    """What `store` says of itself; nothing is written."""
    specimens = store.repository(Specimen)
    answers: dict[str, Answer] = {}
    for kind, condition in KINDS.items():
        explanation = specimens.explain(condition)
        if explanation.reads_all:
            answers[kind] = Answer.SCAN
        else:
            answers[kind] = Answer.NARROWED if explanation.scan else Answer.INDEX
    return CapabilityReport(store.url, dict(store.lacks), answers)
