"""The records that are measured, which are those of ``simstore bench``."""

from collections.abc import Iterator

from simstore import AgentProfile, EpisodeLog
from simstore.bench.workers import documents
from simstore.domain.record import load_record


def agents(start: int, stop: int) -> Iterator[AgentProfile]:
    """Agents of about 1 KB of JSON; ten share a tag."""
    return (load_record(AgentProfile, documents.agent(number)) for number in range(start, stop))


def episodes(number: int) -> list[EpisodeLog]:
    """Episodes of about 21 KB of JSON, a tenth of it not ASCII; ten share a tag."""
    return [load_record(EpisodeLog, documents.episode(each)) for each in range(number)]
