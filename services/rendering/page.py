"""Pages in HTML: each is one file that runs nothing and loads nothing."""

import base64
import hashlib
from collections.abc import Iterable

from simstore.services.rendering.markup import Child, Markup, element
from simstore.services.rendering.visible import one_line


def page(title: str, style: str, *content: Child) -> str:
    """A page with `content`, to be written to a file in UTF-8.

    `style` is the package's own style sheet, which the page's content security policy knows,
    and nothing else: it forbids scripts and network.
    """
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-{digest}'"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", one_line(title)),
        # A style sheet is not escaped in HTML.
        element("style", Markup(style)),
    )
    body = element("body", element("main", *content))
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def section(name: str, heading: str, *content: Child) -> Markup:
    """A section under its heading."""
    heading_id = f"{name}-heading"
    return element(
        "section", element("h2", heading, id=heading_id), *content, aria_labelledby=heading_id
    )


def facts(known: Iterable[tuple[str, str]], *, class_: str | None = None) -> Markup | None:
    """A list of what is known; None if nothing is."""
    rows = [
        element("div", element("dt", name), element("dd", shown, dir="auto"))
        for name, value in known
        if (shown := one_line(value))
    ]
    return element("dl", *rows, class_=class_) if rows else None
