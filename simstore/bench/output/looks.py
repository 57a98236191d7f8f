"""How contenders look in charts: the same in all of them, and told apart without colours, too."""

from collections.abc import Iterable
from dataclasses import dataclass

from simstore.bench.output.tables import ordered
from simstore.bench.report import Contender

BACKENDS = 6
PEERS = 6
"""How many colours there are of each; further ones begin anew."""

MARKERS = "osD^vP"

# A chart is drawn in colours that stand for the page's, which are not known before it is seen in
# light or dark: `svg` puts those in their place.
INK = "#010101"
SOFT = "#020202"
RULE = "#030303"
CARD = "#040404"

_BACKEND = "#05{:02x}05"
_PEER = "#06{:02x}06"

PAGE_COLOURS = {
    INK: "var(--ink)",
    SOFT: "var(--soft)",
    RULE: "var(--rule)",
    CARD: "var(--card)",
    **{_BACKEND.format(n): f"var(--backend-{n + 1})" for n in range(BACKENDS)},
    **{_PEER.format(n): f"var(--peer-{n + 1})" for n in range(PEERS)},
}
"""What the page has for each colour of a drawing."""


@dataclass(frozen=True, slots=True)
class Look:
    """simstore's are filled and drawn through, peers are hollow and dashed."""

    colour: str
    marker: str
    peer: bool

    @property
    def css_class(self) -> str:
        """The class that gives the page's own elements this look."""
        name = PAGE_COLOURS[self.colour].removeprefix("var(--").removesuffix(")")
        return f"{name} peer" if self.peer else name


def looks_of(contenders: Iterable[Contender]) -> dict[str, Look]:
    """The look of each contender, by its name."""
    looks = {}
    seen = {False: 0, True: 0}
    for each in ordered(contenders):
        place = seen[each.peer]
        seen[each.peer] += 1
        colour = _PEER.format(place % PEERS) if each.peer else _BACKEND.format(place % BACKENDS)
        looks[each.name] = Look(colour, MARKERS[place % len(MARKERS)], each.peer)
    return looks
