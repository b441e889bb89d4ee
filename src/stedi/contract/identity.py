"""What makes two addresses, or two serial numbers, the same, for rules, checks, erasure, tombstones and search alike.

In SQL it is the macro `identity` (`sql.py`).
"""

import sys
import unicodedata

ASCII_BLANKS = "".join(each for each in map(chr, range(128)) if each.isspace())
_INVISIBLE = "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\ufeff" + "".join(
    map(chr, (*range(0x202A, 0x202F), *range(0x2060, 0x2070)))
)
BLANKS = "".join(each for each in map(chr, range(sys.maxunicode + 1)) if each.isspace()) + _INVISIBLE


def normalise_identity(value: str) -> str:
    """A value as it is compared: NFKC, case folded, without blanks and characters that nobody sees at either end.

    It is decomposed before it is folded, so that equal texts stay equal in whatever form they come.
    """
    folded = unicodedata.normalize("NFKD", value).casefold()
    return unicodedata.normalize("NFKC", folded).strip(BLANKS)
