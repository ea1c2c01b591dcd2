"""Credentials in a query: one parameter of that name, the gateway's; every other byte as it was."""

from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.config.values import Secret
from gatehold.credentials.parameters import folded, folded_names, with_parameters
from policy.errors import Refusal

KEY = Secret("planted/key+1&x=y z")
SENT = "planted%2Fkey%2B1%26x%3Dy%20z"
TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#?"), max_size=30)


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/a", "/a?api_key={}"),
        ("/a?", "/a?api_key={}"),
        ("/a?b=%2f+%20&c", "/a?b=%2f+%20&c&api_key={}"),
        ("/a?b=1&&c=;", "/a?b=1&&c=;&api_key={}"),
        ("/a?b=/?x", "/a?b=/?x&api_key={}"),
        ("/a?api_key=mine", "/a?api_key={}"),
        ("/a?api_key=mine&b=1", "/a?b=1&api_key={}"),
        ("/a?b=1;api_key=mine;c=2", "/a?b=1;c=2&api_key={}"),
        ("/a?x_api_key=other&api_keys=2", "/a?x_api_key=other&api_keys=2&api_key={}"),
    ],
)
def test_the_rest_stays_as_it_is(path: str, sent: str) -> None:
    """Encodings, order, empty pieces; the value is encoded so that nothing of it is a delimiter."""
    assert with_parameters(path, [("api_key", KEY)]) == sent.format(SENT)


@pytest.mark.parametrize(
    "spelling",
    ["api_key", "API_KEY", "Api_Key", "api%5Fkey", "%61pi_key", "%61%70%69%5f%6b%65%79", "api%255Fkey", "api%25255fkey",
     "api_key[]", "api_key[0]", "api_key%5B%5D", "api.key", "api-key", "api+key", "api%20key", "+api_key", "api_key%20",
     "%09api_key", "api_key%00", "api_key%00x", "api%u005Fkey", "%u0061pi_key", "?api_key", "api%E2%80%8B_key",
     "%EF%BB%BFapi_key", "api%C2%A0_key", "[api_key]", "%5Bapi_key%5D", "[]api_key", "[api_key][]", "api_key]", "api[key",
     "api%5Bkey", "API%255bKEY"],
)  # fmt: skip
def test_every_spelling_of_the_name_goes(spelling: str) -> None:
    """Whatever a server folds: one that read the agent's own would act by the agent's key."""
    for path in (f"/a?{spelling}=mine", f"/a?{spelling}", f"/a?b=1&{spelling}=mine", f"/a?b=1;{spelling}=mine&c=2"):
        sent = with_parameters(path, [("api_key", KEY)])
        assert "mine" not in sent
        assert [piece for piece in sent.split("?")[1].split("&") if "key" in piece.lower()] == [f"api_key={SENT}"]


@given(TEXT, TEXT.filter(lambda name: folded(name) != "api_key"))
def test_other_parameters_stay(value: str, name: str) -> None:
    """Byte for byte, in front."""
    if ";" in name + value or "&" in name + value or "=" in name:
        return
    assert with_parameters(f"/a?{name}={value}", [("api_key", KEY)]) == f"/a?{name}={value}&api_key={SENT}"


@given(TEXT, st.text(st.characters(codec="utf-8"), min_size=1, max_size=20))
def test_a_server_reads_exactly_one(query: str, value: str) -> None:
    """The gateway's own, whatever the agent sent."""
    sent = with_parameters(f"/a?{query}", [("api_key", Secret(value))])
    assert [each for name, each in parse_qsl(urlsplit(sent).query) if name.lower() == "api_key"] == [value]


@given(st.text(max_size=40), st.integers(min_value=0, max_value=3))
def test_folding_does_not_mind_encodings(name: str, times: int) -> None:
    """A name and any encoding of it are one."""
    encoded = name = "".join(each for each in name if ord(each) < 0xD800)
    for _ in range(times):
        encoded = quote(encoded, safe="")
    if "%" not in name:
        assert folded(encoded) == folded(quote(name, safe=""))


def test_a_fragment_is_refused() -> None:
    """Nothing behind it is sent to a server that knows what it is."""
    with pytest.raises(Refusal, match="fragment"):
        with_parameters("/a#b", [("api_key", KEY)])


def test_without_parameters_nothing_is_changed() -> None:
    """Not a byte."""
    assert with_parameters("/a?#;&", []) == "/a?#;&"


def test_names_of_a_path() -> None:
    """Folded, of all pieces."""
    assert folded_names("https://h/p?A=1&b%2D=2;c") == {"a", "b_", "c"}
