"""The forms in which records may stand in a landing file, and what each is in words."""

from typing import Literal

Form = Literal["line", "crlf", "several", "multiline", "commas", "array"]
FORMS: dict[str, str] = {
    "line": "one a line",
    "crlf": "one a line that ends with CRLF",
    "several": "several on a line",
    "multiline": "over several lines",
    "commas": "with commas between",
    "array": "in an array",
}
