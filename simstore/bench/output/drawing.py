"""What all charts share: their size, their letters, and matplotlib, which draws them."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from simstore.bench.output.looks import INK, PAGE_COLOURS, RULE, SOFT
from simstore.bench.output.svg import page_svg
from simstore.domain.errors import MissingDependencyError
from simstore.services.rendering.markup import Markup
from simstore.services.rendering.visible import one_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 380
"""A drawing's width; it and all other lengths are in units of a seventy-second of an inch."""

SIZE = 11.0
SMALL = 10.0
"""Of letters."""

_NAME_LETTERS = 20

_SETTINGS: Any = {  # the type of its keys is another in each release
    "svg.fonttype": "none",  # texts stay texts, in the page's font
    "svg.hashsalt": "simstore",  # what is referred to has the same name in each run
    "text.parse_math": False,  # a name with two dollars is no formula
    "font.family": "DejaVu Sans",  # matplotlib brings it
    "font.size": SIZE,
    "text.color": INK,
    "axes.labelcolor": SOFT,
    "axes.labelsize": SMALL,
    "axes.axisbelow": True,
    "axes.spines.bottom": False,
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "xtick.labelcolor": SOFT,
    "xtick.labelsize": SMALL,
    "xtick.major.size": 0,
    "ytick.labelcolor": SOFT,
    "ytick.labelsize": SMALL,
    "ytick.major.size": 0,
    "grid.color": RULE,
    "grid.linewidth": 0.8,
}


@contextmanager
def drawing(height: float) -> Iterator["Figure"]:
    """A figure of `WIDTH` and `height`, to be drawn on and `finished` within the block.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    try:
        from matplotlib import style  # noqa: PLC0415 — of an extra
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        raise MissingDependencyError("the page with charts", "bench") from error
    # Whatever a file of the user's says: the same report makes the same page.
    with style.context(["default", _SETTINGS]):
        yield Figure(figsize=(WIDTH / 72, height / 72), dpi=72)


def finished(figure: "Figure", name: str, label: str) -> Markup:
    """`figure` as a part of a page: its ids begin with `name`, and `label` can be read aloud."""
    written = io.StringIO()
    nobody: dict[str, Any] = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with warnings.catch_warnings():
        # The letters that its own font lacks are in the page's.
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
        figure.savefig(written, format="svg", transparent=True, metadata=nobody)
    return page_svg(written.getvalue(), name=name, label=one_line(label), colours=PAGE_COLOURS)


def short(name: str) -> str:
    """As much of a contender's name as a chart has room for; its table has the whole."""
    text = one_line(name)
    return text if len(text) <= _NAME_LETTERS else f"{text[: _NAME_LETTERS - 1]}…"
