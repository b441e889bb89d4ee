"""Text that may come from anywhere, made such that nothing hides in it, for a terminal, a page or a notebook."""


def visible(text: str) -> str:
    r"""Text in which nothing hides: controls, escapes, bidi controls and the like are written out, as `\u202e`."""
    return "".join(
        each if each.isprintable() or each in "\n\t" else each.encode("unicode_escape").decode() for each in text
    )
