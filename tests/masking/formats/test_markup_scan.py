"""Markup taken apart: nothing of it is lost."""

import contextlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.errors import Unmaskable
from masking.formats.markup_scan import Element, Kind, Piece, Scanner


def scanned(text: str, *, html: bool) -> list[Piece]:
    return list(Scanner(text, html=html, is_text=lambda tag: tag == "<SECRET>", opened=lambda _: None).pieces())


def name_of(element: Element | None) -> str:
    return element.name if element else ""


@pytest.mark.parametrize(
    ("text", "html", "pieces"),
    [
        ("<a b='c'>d</a>e", False, [(Kind.ATTRIBUTE, "c", "a"), (Kind.TEXT, "d", "a"), (Kind.TEXT, "e", "")]),
        ("<a b=c/d e>f", True, [(Kind.BARE, "c/d", "a"), (Kind.TEXT, "f", "a")]),
        ("<a/>b<c></a></c>d", False, [(Kind.TEXT, "b", ""), (Kind.TEXT, "d", "")]),
        ("<br>b</B><i>c</I>d", True, [(Kind.TEXT, "b", ""), (Kind.TEXT, "c", "i"), (Kind.TEXT, "d", "")]),
        ("a<!-- <b> -->c", False, [(Kind.TEXT, "a", ""), (Kind.ASIDE, " <b> ", ""), (Kind.TEXT, "c", "")]),
        ("<a><![CDATA[<b>]]></a>", False, [(Kind.RAW, "<b>", "a")]),
        ("<script>a<b>'</x></SCRIPT >c", True, [(Kind.RAW, "a<b>'</x>", "script"), (Kind.TEXT, "c", "")]),
        ("<title>a<b></title>", True, [(Kind.TEXT, "a<b>", "title")]),
        ("a < b <SECRET> c", False, [(Kind.TEXT, "a < b <SECRET> c", "")]),
        ("<?xml version='1.0'?><?p q?>", False, [(Kind.ASIDE, "p q", "")]),
        ("<!DOCTYPE html>a", True, [(Kind.TEXT, "a", "")]),
    ],
)
def test_pieces(text: str, html: bool, pieces: list[tuple[Kind, str, str]]) -> None:
    """Texts, values and asides, with the elements that hold them."""
    found = [(piece.kind, text[piece.start : piece.end], name_of(piece.element)) for piece in scanned(text, html=html)]
    assert [each for each in found if each[0] is not Kind.REST] == pieces


MARKS = st.sampled_from(
    [
        "<",
        ">",
        "<a",
        "</a>",
        "<b c=",
        '"',
        "'",
        "=",
        "/",
        " ",
        "x",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<script>",
        "</script>",
    ]
)


@given(st.lists(MARKS, max_size=14).map("".join), st.booleans())
def test_no_letter_is_lost(text: str, html: bool) -> None:
    """Pieces do not overlap, are in order, and hold every letter that is no mark."""
    with contextlib.suppress(Unmaskable):
        pieces = scanned(text, html=html)
        spans = [(piece.start, piece.end) for piece in pieces]
        assert all(one[1] <= other[0] for one, other in pairwise(spans))
        assert "".join(text[start:end] for start, end in spans).count("x") == text.count("x")
