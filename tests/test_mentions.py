"""A text that names somebody is known however it is written, and loses what does; what only looks alike stays."""

import base64
import unicodedata
from urllib.parse import quote, quote_plus

import pytest

from stedi.contract.identity import normalise_identity
from stedi.erasure.person import Person
from stedi.ingest import decodings, mentions

ANN = Person(
    {"person": ["ann@example.com"], "device": ["0aa2-77-b1"], "name": ["Ann Péreson"], "phone": ["8015550123"],
     "birthday": ["1987-03-04"]},
)  # fmt: skip
NAMED = {
    "note": ("friend of Ann Péreson, same club", "friend of , same club"),
    "capitals": ("ANN PÉRESON", ""),
    "url": ("https://x.example/?u=ann@example.com&b=1", "https://x.example/?u=&b=1"),
    "url, quoted": ("https://x.example/?u=ann%40example.com&b=1", "https://x.example/?u=&b=1"),
    "form": (quote_plus("see Ann Péreson"), "see "),
    "url of a name": (quote("see Ann Péreson"), "see "),
    "angle brackets": ("Ann <ann@example.com>", "Ann <>"),
    "end of a sentence": ("Write to ann@example.com.", "Write to ."),
    "file": ("/tmp/ann@example.com.json.gz", "/tmp/.json.gz"),
    "html": ("ann&#64;example.com", ""),
    "escapes": (r"\u0061nn@example.com", ""),
    "escaped line feed": (r"a\nann@example.com", "a\n"),
    "base64": ("ref " + base64.b64encode(b"ann@example.com").decode(), "ref "),
    "base64 in a path": ("/a/" + base64.urlsafe_b64encode("x Ann Péreson y".encode()).decode().rstrip("="), ""),
    "base64 of UTF-16": (base64.b64encode("ann@example.com".encode("utf-16-le")).decode(), ""),
    "serial number": ("trainer 0AA2-77-B1 of hers", "trainer  of hers"),
    "phone": ("call 8015550123", "call "),
    "birth date": ("born 1987-03-04, she", "born , she"),
    "possessive": ("Ann Péreson's", "'s"),
    "twice": ("ann@example.com ann@example.com", " "),
    "comes together": ("ann@exam ann@example.com ple.com", "ann@exam  ple.com"),
}
ALIKE = ["bob.ann@example.com", "ann+x@joann@example.comx", "ann@example.com.au", "joann@example.com", "Ann Péresona",
         "ann@example.community", "10aa2-77-b1", "0aa2-77-b1-9", "Joann Péreson", "18015550123", "1987-03-041",
         "Ann", "", "@", "x" * 10_000, "\ud83d", "%", "\\u", "&#", "====", "Zm9vYmFyYmF6"]  # fmt: skip


@pytest.mark.parametrize("text, left", NAMED.values(), ids=NAMED)
def test_text_that_names_somebody_is_known_and_loses_what_does(text, left):
    assert mentions.named_in(text, ANN)
    taken = mentions.take_out(text, ANN)
    assert not mentions.named_in(taken, ANN)
    assert taken == left or (left == "" and taken in ("/", "/a/"))
    assert any(mentions.contains(each, [mentions.core(value) for value in ANN.searched()])
               for each in (text, *decodings.decoded(text)))  # fmt: skip


@pytest.mark.skipif(
    normalise_identity("\u00e9") != normalise_identity("e\u0301"), reason="identity does not compose letters yet"
)
def test_text_that_names_somebody_with_decomposed_letters_is_known():
    text = unicodedata.normalize("NFD", "with Ann Péreson!")
    assert mentions.take_out(text, ANN) == "with !"
    assert mentions.contains(text, [mentions.core("Ann Péreson")])


@pytest.mark.parametrize("text", ALIKE)
def test_text_that_only_looks_alike_stays(text):
    assert not mentions.named_in(text, ANN)
    assert mentions.take_out(text, ANN) == text
    assert not mentions.contains(text, [mentions.core(value) for value in ANN.searched()])


@pytest.mark.parametrize(
    "text, left",
    [
        ("Mary Ann Péreson Li", "Mary Ann Péreson Li"),
        ("Ann Péreson van Dijk", "Ann Péreson van Dijk"),
        ("Ann Péreson", "Ann Péreson"),
        ("Bob, care of Ann Péreson", "Bob, care of "),
        ("Bob c/o Ann Péreson", "Bob c/o "),
        ("Bob, care of ann@example.com", "Bob, care of "),
        ("Bob for Ann Péreson", "Bob for "),
        ("8015550123", "8015550123"),
    ],
)
def test_of_a_name_what_stands_among_names_is_somebody_elses(text, left):
    assert mentions.take_out(text, ANN, of_a_name=True) == left


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
@pytest.mark.parametrize("before", [b"", b"\0", b"\xff\n"])
def test_bytes_that_are_no_text_are_read_in_every_way(encoding, before):
    for text in ("ann@example.com", "Ann Péreson"):
        assert mentions.named_in_bytes(before + f'{{"a": "{text}"}}'.encode(encoding), ANN)
    assert not mentions.named_in_bytes(before + '{"a": "joann@example.com"}'.encode(encoding), ANN)
