"""HTML put together from elements, so that no text gets into a page unescaped."""

from html import escape

_VOID = frozenset({"meta", "br", "hr"})


class Markup(str):
    """HTML that was made by `element` and needs no escaping."""

    __slots__ = ()


Child = str | None
"""Markup, text that is to be escaped, or nothing."""


def element(tag: str, *children: Child, **attributes: str | None) -> Markup:
    """The element `tag` with its children; None, as child or attribute, is left out.

    The name of an attribute may end in an underscore, for those that are Python's words, and
    the underscores within it are hyphens: ``class_``, ``http_equiv``.
    """
    given = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    opened = f"<{tag}{given}>"
    return Markup(opened if tag in _VOID else f"{opened}{join(*children)}</{tag}>")


def join(*children: Child) -> Markup:
    """The children in their order."""
    return Markup(
        "".join(
            child if isinstance(child, Markup) else escape(child)
            for child in children
            if child is not None
        )
    )
