"""The settings of a server that speaks Redis's protocol, as the text that it reads."""

from collections.abc import Mapping, Sequence

from simstore.domain.errors import InvalidArgumentError

Settings = Mapping[str, str | Sequence[str]]
"""By name, what stands behind it in a configuration file; a list makes a line of each.

A text is taken as it is, so that ``{"save": "900 1"}`` has two values; `quoted` makes one value of
a text with blanks.
"""


def quoted(text: str) -> str:
    """`text` as one value, whatever characters it has."""
    safe = (
        chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}"
        for byte in text.encode()
    )
    return f'"{"".join(safe)}"'


def settings_text(settings: Settings) -> str:
    """A configuration file of `settings`.

    Raises:
        InvalidArgumentError: a value has several lines, which would be several settings.
    """
    lines = [
        f"{name} {value}"
        for name, values in settings.items()
        for value in ([values] if isinstance(values, str) else values)
    ]
    for line in lines:
        if "\n" in line or "\r" in line:
            raise InvalidArgumentError(f"setting {line.split()[0]}: it has several lines")
    return "".join(f"{line}\n" for line in lines)
