"""What is wrong with a line of a file, before anybody knows which line of which file it is."""

from simstore.domain.errors import ImportFileError


class LineError(ValueError):
    """A line does not make a record; `field` is the place in it, by the file's keys."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field, reason)
        self.field = field
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


def fault_at(name: str, number: int, error: LineError) -> ImportFileError:
    """`error` as what is wrong with line `number` of the file called `name`."""
    fault = ImportFileError(name, number, error.field, error.reason)
    fault.__cause__ = error.__cause__ or error
    return fault
