"""Text that may come from anywhere, made such that nothing hides in it, for a terminal, a page or a notebook."""

import re


def visible(text: str) -> str:
    r"""Text in which nothing hides: controls, escapes, bidi controls and the like are written out, as `\u202e`."""
    return "".join(
        each if each.isprintable() or each in "\n\t" else each.encode("unicode_escape").decode() for each in text
    )


def plain_key(key: str) -> str:
    """A key of JSON as it may be shown: what is not a plain name could be anything, a value included."""
    return key if re.fullmatch(r"[A-Za-z_]\w{0,39}", key, re.ASCII) else "(not a plain name)"
