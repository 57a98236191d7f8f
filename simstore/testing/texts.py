"""Texts that break storage: each has broken some database, query language or file format."""

LONG_TEXT = "long " * 20_000
"""100 KB: more than an index entry or a URL holds."""

HOSTILE_TEXTS: tuple[str, ...] = (
    # Blank and nearly so.
    "", " ", "  ", "\t", "\n", "\r\n", "\u00a0", "\u2003", "\u200b",
    # Blanks at the ends and within.
    " pilot", "pilot ", " pilot ", "pilot\n", "\npilot", "two words", "two  words", "a\tb",
    # Lines, NUL and other control characters.
    "two\nlines", "two\r\nlines", "line\u2028separator", "\x00", "nul\x00inside", "\x00first",
    "last\x00", "\x01", "\x1b[31mred", "\x7f", "\x85", "\ufeffbom",
    # Case, also where it changes the length.
    "pilot", "Pilot", "PILOT", "Straße", "STRASSE", "strasse", "İ", "i", "ı", "I", "ς", "σ",
    # The syntax of queries, patterns, formats, paths and shells.
    "a|b", "|", "a,b", "a;b", "{pilot}", "{}", "{", "}", "[x]", "(x)", "@tag", "@tag:{x}", "*",
    "pi*", "%", "pi%", "_", "?", "--", "-- comment", "-pilot", "~pilot", "$where", "#tag", "a:b",
    ":", "a/b", "..", "a\\b", "\\", "\\n", "'", '"', '"quoted"', "it's", "''", "`x`", "<b>",
    "&amp;",
    "'; DROP TABLE records; --", "a=b", "a&b", "^a$", ".*", "%s", "%00", "\\u0000", "\\x00",
    # Texts that look like other values.
    "0", "1", "1.0", "-0.0", "1e5", "true", "True", "false", "null", "None", "nan", "inf", "[]",
    # Unicode: accents (composed and combining), scripts, right to left, beyond 16 bits.
    "é", "e\u0301", "ñandú", "Ångström", "Åse", "日本語", "한국어", "ไทย", "עברית",
    "العربية", "\u202eright to left", "😀", "👩\u200d🚀", "👍🏽", "\U0001d11e", "\U0010ffff",
    "\uffff",
    "\ue000", "\ufb01", "fi", "\u212a", "k", "Ａ", "A", "²",
    # The separators that an index may put between a value and a key.
    "a\x1fb", "a\x1eb", "\x1f", "\uffffa", "a\x00b",
    LONG_TEXT,
)  # fmt: skip
"""Every one differs from all others, and must stay so in every backend."""

HOSTILE_PKS: tuple[str, ...] = (
    "a", "b", "c", "A", "B", "ab", "a b", " a", "a ", "a.b", "...", ".hidden", "a:b", ":", "*",
    "a*", "?", "[a]", "{a}", "{a}b", "%2F", "%", "_", "-", "--", "-1", "0", "1", "10", "2", "None",
    "null", "true", "'", '"', "it's", "'; DROP TABLE records; --", "a|b", "a,b", "@a", "$", "#a",
    "~",
    "é", "e\u0301", "Straße", "STRASSE", "İ", "日本語", "עברית", "😀", "\U0010ffff", "\uffff",
    "\ue000", "x" * 255, "é" * 127, "😀" * 63, "pk", "\u200b", "a\u2028b",
)  # fmt: skip
"""Primary keys that every backend must keep apart: see `simstore.domain.fields.check_pk`."""

BAD_PKS: tuple[str, ...] = (
    "", " ", "\t", "\u2003", "a/b", "/", "../a", "..", ".", "a\\b", "nul\x00", "\n", "a\x1fb",
    "\x7f", "\x85", "x" * 256, "x" * 10_000, "é" * 128, "half \ud800",
)  # fmt: skip
"""What is no primary key; each is an InvalidPkError."""

HALF_PAIRS: tuple[str, ...] = ("\ud800", "\udfff", "half \udc00 pair", "\ude00\ud83d")
"""Lone surrogates: str holds them, UTF-8 and JSON do not, so that saving refuses them."""
