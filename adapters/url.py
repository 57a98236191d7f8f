"""Store URLs: ``scheme://location?option=value``."""

import re
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote

from simstore.domain.errors import StoreURLError
from simstore.domain.schema import near_name

Decoded = TypeVar("Decoded")


class StoreURL:
    """A store URL, taken apart.

    Raises:
        StoreURLError: it is not ``scheme://...``.
    """

    def __init__(self, url: str) -> None:
        scheme, separator, rest = str(url).partition("://")
        self.shown = _without_password(str(url))
        """The URL as it may be shown: without its password."""
        if not separator:
            raise StoreURLError(
                f"{self.shown!r} is not a store URL; {_meant(str(url), self.shown)}"
            )
        location, _, query = rest.partition("?")
        if ":" in location and "@" not in location and "@" in query:
            raise StoreURLError(
                f"{self.shown} has an @ behind the ?: what is special in a name, a password or an "
                "option is percent-escaped, %3F for ?, %40 for @"
            )
        self.scheme = scheme.lower()
        self.rest = location
        """What stands between ``://`` and the options, as it is written."""
        self.location = self._decoded(location, unquote)
        """The same, percent-escapes resolved."""
        self._pairs = self._decoded(query, partial(parse_qsl, keep_blank_values=True))
        if "\0" in self.location or not self.location.isprintable():
            raise StoreURLError(
                f"{self.shown!r} names a place with characters that cannot be in it"
            )

    def _decoded(self, text: str, decode: Callable[..., Decoded]) -> Decoded:
        """`text` with its percent-escapes resolved, so that no two values become one."""
        with suppress(UnicodeError):
            text.encode()  # a shell's argument may be no UTF-8 without an escape
            return decode(text, errors="strict")
        # Out of the block: the error that was there has what may be a password.
        raise StoreURLError(f"{self.shown!r} is not UTF-8, in which ü is %C3%BC, say")

    def options(self, **known: Callable[[str], Any]) -> dict[str, Any]:
        """The options given, each made by the function of its name.

        Raises:
            StoreURLError: an option is unknown, given twice, or refused by its function.
        """
        options: dict[str, Any] = {}
        for name, text in self._pairs:
            if name not in known:
                hint = near_name(name, known) or f"; it has {', '.join(sorted(known))}"
                raise StoreURLError(f"{self.scheme}:// has no option {name!r}{hint}")
            if name in options:
                raise StoreURLError(f"{self.shown} gives the option {name!r} twice")
            try:
                options[name] = known[name](text)
            except ValueError as error:
                raise StoreURLError(f"{self.shown}: option {name}={text!r}: {error}") from error
        return options


def _meant(url: str, shown: str) -> str:
    """What may be meant by `url`, which is none; `shown` is what may be shown of it."""
    # The registry needs this module to be imported first.
    from simstore.adapters.registry import BACKENDS  # noqa: PLC0415

    match = re.match("([A-Za-z+]+)(:/?|//)(?!/)", url)
    if match and (scheme := match[1].lower()) in BACKENDS:
        slash = "/" if scheme in {"sqlite", "unix"} else ""  # a path stands behind these
        return f"did you mean {scheme}://{slash}{shown.removeprefix(match[0])}?"
    if shown.lower() == "memory":
        return "did you mean memory://?"
    if re.fullmatch(r"[\w.-]+:\d+(/\d*)?", shown):
        return f"did you mean redis://{shown}?"
    if shown and not re.search("[@:]", shown):
        return f"did you mean sqlite:///{shown}?"
    return "write memory:// or sqlite:///file.db, say"


def _without_password(url: str) -> str:
    """`url` without what may be a password: before an @, and in options that are called so."""
    if "://" not in url and "@" in url:
        return f"***@{url.rpartition('@')[2]}"  # it may be anything
    scheme, slashes, rest = re.match(r"([^:/]*)(:?/*)(.*)", url, re.DOTALL).groups()  # type: ignore[union-attr]  # it always matches
    place, question, options = rest.partition("?")
    if ":" in place and "@" not in place and "@" in options:
        # A password that is not escaped may reach to there.
        place, question, options = rest, "", ""
    credentials, at, host = place.rpartition("@")
    user, colon, _ = credentials.partition(":")
    if colon:
        place = f"{user}:***@{host}"
    elif at and not slashes.endswith("///"):  # no path
        place = f"***@{host}"  # a name alone: it is likely that a password was meant
    options = re.sub(r"(?i)((?:pass|pwd|secret|token)[^=&]*=)[^&]*", r"\1***", options)
    return f"{scheme}{slashes}{place}{question}{options}"
