"""Drawings of matplotlib's as a part of a page: in its colours and its font."""

import re
from collections.abc import Mapping
from xml.etree import ElementTree as ET

from simstore.services.rendering.markup import Markup, element

_SVG = "{http://www.w3.org/2000/svg}"
_HREF = "{http://www.w3.org/1999/xlink}href"
_REFERENCE = re.compile(r"#([\w.-]+)")
_FONT = re.compile(r"(?:(?P<weight>\d+|bold) )?(?P<size>[\d.]+)px")
_LINE_ENDS = re.compile(r"\s*\n\s*")
_DECIMALS = re.compile(r"(\.\d\d)\d+")
"""What is left of a number is finer than a screen."""

_DROPPED = frozenset({"font-family", "id", "style"})


def page_svg(drawing: str, *, name: str, label: str, colours: Mapping[str, str]) -> Markup:
    """`drawing`, which matplotlib wrote, as an element of a page, with `label` in its place.

    Its ids begin with `name`, so that those of several do not meet. What was a style becomes
    attributes, since a page's policy stops styles that it does not know; `colours` are put in
    the place of those that are drawn.
    """
    # It is not foreign: matplotlib wrote it a moment ago.
    root = ET.fromstring(drawing)  # noqa: S314
    content = [_converted(child, name, colours) for child in root]
    return element(
        "svg",
        *content,
        viewBox=root.get("viewBox"),
        role="img",
        aria_label=label,
        class_="chart",
    )


def _converted(node: ET.Element, name: str, colours: Mapping[str, str]) -> Markup | None:
    tag = node.tag.removeprefix(_SVG)
    if tag in {"style", "metadata"}:
        return None
    children = [made for child in node if (made := _converted(child, name, colours))]
    attributes = _attributes(node, tag, name, colours)
    if tag == "g" and "clip-path" not in attributes and "transform" not in attributes:
        return Markup("".join(children)) if children else None
    text = node.text if tag == "text" else None
    return element(tag, text, *children, **attributes)


def _attributes(
    node: ET.Element, tag: str, name: str, colours: Mapping[str, str]
) -> dict[str, str]:
    given = {key: value for key, value in node.attrib.items() if key not in _DROPPED}
    for declaration in filter(str.strip, node.get("style", "").split(";")):
        key, _, value = declaration.partition(":")
        if key.strip() not in _DROPPED:
            given[key.strip()] = value.strip()
    if font := _FONT.search(given.pop("font", "")):
        given["font-size"] = font["size"]
        if font["weight"]:
            given["font-weight"] = font["weight"]
    if _HREF in given:
        given["href"] = given.pop(_HREF)
    for key in ("href", "clip-path"):
        if key in given:
            given[key] = _REFERENCE.sub(rf"#{name}-\1", given[key])
    # Only what is referred to is called by a hash of it; other names are those of groups.
    if tag in {"clipPath", "path"} and "id" in node.attrib:
        given["id"] = f"{name}-{node.attrib['id']}"
    if given.get("transform", "").startswith("rotate(-0 "):
        del given["transform"]
    if "d" in given:
        given["d"] = _DECIMALS.sub(r"\1", _LINE_ENDS.sub(" ", given["d"]).strip())
    return {key: colours.get(value, value) for key, value in given.items()}
