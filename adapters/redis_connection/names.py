"""Names as parts of keys."""

import re
from functools import lru_cache

_SPECIAL = re.compile(r"[^A-Za-z0-9_.\-]")


@lru_cache(1_000)
def escaped(text: str) -> str:
    """`text` without colons, braces and what else would make two names one."""
    return _SPECIAL.sub(lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode()), text)
