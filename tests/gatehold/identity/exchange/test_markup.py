"""Laws of markup: nothing but elements, attributes and text, in UTF-8, bounded; and no ID twice."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from gatehold.identity.exchange.markup import MOST_BYTES, MOST_DEPTH, MOST_NAMES, MOST_PARTS, decoded, parse
from policy.errors import Refusal

BOMB = '<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>'
REFUSED = [
    "",
    "a",
    " <a/>",
    "\ufeff<a/>",
    "<a>",
    "<a/><b/>",
    "<a/>x",
    BOMB,
    '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
    '<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1:1/x"> %p;]><a/>',
    "<a>&undefined;</a>",
    "<a><!--x--></a>",
    "<a>ro<!--x-->ot</a>",
    "<a><![CDATA[x]]></a>",
    "<a><?x y?></a>",
    "<?x y?><a/>",
    "<a/><!--x-->",
    '<?xml version="1.1"?><a/>',
    '<?xml version="1.0" encoding="UTF-7"?><a/>',
    '<?xml version="1.0" encoding="ISO-8859-1"?><a/>',
    '<?xml version="1.0" standalone="no"?><a/>',
    '<?xml version="1.0"?><?xml version="1.0"?><a/>',
    '<a x="<b"/>',
    "<a>\0</a>",
    "<a>&#0;</a>",
    "<a>&#x1;</a>",
    '<a x="1" x="2"/>',
    '<a xmlns:p="urn:x" xmlns:q="urn:x" p:x="1" q:x="2"/>',
    "<p:a/>",
    '<a xmlns:xi="http://www.w3.org/2001/XInclude" xi:href="x"><b></a>',
    '<a ID="x"><b ID="x"/></a>',
    '<a ID="x"><b id="x"/></a>',
    '<a ID="x" xml:id="x"/>',
    '<a ID="x"><b AssertionID="x"/></a>',
    "<a>" * (MOST_DEPTH + 2) + "</a>" * (MOST_DEPTH + 2),
    "<a>" + "<b/>" * MOST_PARTS + "</a>",
    "<a " + " ".join(f'a{each}=""' for each in range(MOST_PARTS)) + "/>",
    "<a>" + "x" * MOST_BYTES + "</a>",
    "<a " + " ".join(f'a{each}=""' for each in range(MOST_NAMES + 1)) + "/>",
    "<a " + " ".join(f'xmlns:a{each}="urn:{each}"' for each in range(MOST_NAMES + 1)) + "/>",
    "".join(f'<a xmlns:a{each}="urn:{each}" xmlns:b{each}="urn:{each}">' for each in range(20)) + "</a>" * 20,
]


@pytest.mark.parametrize("text", REFUSED, ids=range(len(REFUSED)))
def test_refused(text: str) -> None:
    """Before anything in it is believed."""
    with pytest.raises(Refusal):
        parse(text.encode())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "utf-7", "cp037"])
def test_other_encodings(encoding: str) -> None:
    """A document type would not be seen in them."""
    with pytest.raises(Refusal):
        parse(BOMB.encode(encoding))


@pytest.mark.parametrize(
    "text", ["<a/>", '<?xml version="1.0"?><a/>', '<?xml version="1.0" encoding="UTF-8"?>\n<a> <b x="&lt;!"/></a>']
)
def test_accepted(text: str) -> None:
    """With or without a declaration."""
    assert parse(text.encode()).tag == "a"


@given(
    st.one_of(
        st.text(),
        st.lists(st.sampled_from(["<a", ">", "</a>", " x='1'", "ID='y'", "&lt;", "<!", "<?", "b", "/>", "]]>"])).map(
            "".join
        ),
    )
)
def test_any_text(text: str) -> None:
    """A refusal, or a tree of elements."""
    try:
        root = parse(text.encode("utf-8", "surrogatepass"))
    except Refusal:
        return
    assert all(isinstance(each.tag, str) for each in root.iter())
    assert not etree.ElementTree(root).docinfo.doctype


@given(st.binary(max_size=200))
def test_base64url(data: bytes) -> None:
    """With or without padding, and in one spelling only."""
    text = base64.urlsafe_b64encode(data).decode()
    if data:
        assert decoded(text) == decoded(text.rstrip("=")) == data


@pytest.mark.parametrize(
    "text", ["", "=", "a", "a b", "YQ\n", "YR", "YQ===", "Y+==", "Y/==", "é", "A" * (MOST_BYTES * 4 // 3 + 8)]
)
def test_no_base64url(text: str) -> None:
    """Other alphabets, bits that are left over, lines, too much."""
    with pytest.raises(Refusal):
        decoded(text)
