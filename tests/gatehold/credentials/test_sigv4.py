"""Signatures for AWS: those of AWS' own examples, over what is sent and nothing else."""

import calendar
import hashlib
import sys
import time
from collections.abc import Callable

import pytest

from gatehold.config.values import CredentialUnavailable, Secret
from gatehold.credentials.injection import RequestSigner
from gatehold.credentials.sigv4 import Keys, signer
from policy.codes import Code
from policy.errors import Refusal

SUITE = Keys(key_id=Secret("AKIDEXAMPLE"), key=Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"))
GUIDE = Keys(key_id=Secret("AKIAIOSFODNN7EXAMPLE"), key=Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"))
BUCKET = "https://examplebucket.s3.amazonaws.com"


def at(moment: str) -> Callable[[], float]:
    return lambda: calendar.timegm(time.strptime(moment, "%Y%m%dT%H%M%SZ"))


def suite() -> RequestSigner:
    """As AWS' Signature Version 4 test suite."""
    return signer(SUITE, service="service", region="us-east-1", clock=at("20150830T123600Z"))


def s3(token: str | None = None) -> RequestSigner:
    """As the examples of the S3 API reference."""
    keys = Keys(key_id=GUIDE.key_id, key=GUIDE.key, session_token=Secret(token) if token else None)
    return signer(keys, service="s3", region="us-east-1", clock=at("20130524T000000Z"))


def signed(made: RequestSigner, method: str, url: str, *headers: tuple[str, str], body: bytes = b"") -> dict[str, str]:
    host = ("Host", url.split("/")[2])
    return {name: value.reveal() for name, value in made.sign(method, url, [host, *headers], body)}


def signature(fields: dict[str, str]) -> str:
    return fields["Authorization"].rpartition("Signature=")[2]


@pytest.mark.parametrize(
    ("method", "query", "headers", "body", "expected"),
    [
        ("GET", "", [], b"", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("GET", "?Param2=value2&Param1=value1", [], b"",
         "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
        ("POST", "", [], b"", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        ("POST", "", [("Content-Type", "application/x-www-form-urlencoded")], b"Param1=value1",
         "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"),
    ],
    ids=["get-vanilla", "get-vanilla-query-order-key-case", "post-vanilla", "post-x-www-form-urlencoded"],
)  # fmt: skip
def test_the_test_suite_of_aws(
    method: str, query: str, headers: list[tuple[str, str]], body: bytes, expected: str
) -> None:
    """By its names."""
    assert signature(signed(suite(), method, f"https://example.amazonaws.com/{query}", *headers, body=body)) == expected


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        ("/test.txt", [("Range", "bytes=0-9")], "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
        ("/?lifecycle", [], "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        ("/?max-keys=2&prefix=J", [], "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ],
)
def test_the_examples_of_the_s3_reference(path: str, headers: list[tuple[str, str]], expected: str) -> None:
    """Get an object's beginning, a bucket's lifecycle, a list."""
    assert signature(signed(s3(), "GET", BUCKET + path, *headers)) == expected


def test_what_an_agent_signed_counts_for_nothing() -> None:
    """Neither date, hash, token nor signature of its own is signed, or changes what is."""
    own = [("Authorization", "AWS4-HMAC-SHA256 mine"), ("X-Amz-Date", "20200101T000000Z"), ("Date", "mine"),
           ("X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD"), ("X-Amz-Security-Token", "mine"), ("User-Agent", "curl"),
           ("X-Amz-S3session-Token", "mine"), ("Accept-Encoding", "gzip")]  # fmt: skip
    for made in (suite(), s3()):
        assert signed(made, "PUT", f"{BUCKET}/a", *own, body=b"x") == signed(made, "PUT", f"{BUCKET}/a", body=b"x")
        assert {name.lower() for name, _ in own} - {"user-agent", "accept-encoding"} <= made.replaces


def test_what_aws_reads_is_signed() -> None:
    """Every ``x-amz-`` header, the type, the session's token, the body."""
    plain = signed(s3(), "PUT", f"{BUCKET}/a", body=b"x")
    assert plain["X-Amz-Content-SHA256"] == hashlib.sha256(b"x").hexdigest()
    for change in (
        signed(s3(), "PUT", f"{BUCKET}/a", body=b"y"),
        signed(s3(), "PUT", f"{BUCKET}/b", body=b"x"),
        signed(s3(), "PUT", f"{BUCKET}/a?acl", body=b"x"),
        signed(s3(), "POST", f"{BUCKET}/a", body=b"x"),
        signed(s3(), "PUT", f"{BUCKET}/a", ("X-Amz-Acl", "public-read"), body=b"x"),
        signed(s3(), "PUT", f"{BUCKET}/a", ("Content-Type", "text/plain"), body=b"x"),
        signed(s3("session-1"), "PUT", f"{BUCKET}/a", body=b"x"),
    ):
        assert signature(change) != signature(plain)
    temporary = signed(s3("session-1"), "GET", f"{BUCKET}/a")
    assert temporary["X-Amz-Security-Token"] == "session-1"
    assert "x-amz-security-token" in temporary["Authorization"]


def test_one_way_to_write_a_path_and_query() -> None:
    """AWS decodes before it compares: raw and encoded characters make one signature."""
    for one, other in (("/a(b)?c=d/e", "/a%28b%29?c=d%2Fe"), ("/a%7eb?x", "/a~b?x="), ("/a?b=c+d", "/a?b=c%20d")):
        assert signature(signed(s3(), "GET", BUCKET + one)) == signature(signed(s3(), "GET", BUCKET + other))


@pytest.mark.parametrize(
    "query",
    ["X-Amz-Signature=1", "x-amz-signature=1", "X%2DAmz-Signature=1", "a=1&X-Amz-Credential=AKIA",
     "X-Amz-Security-Token=1", "AWSAccessKeyId=AKIA&Signature=1&Expires=1", "X-Amz-Algorithm=AWS4-HMAC-SHA256"],
)  # fmt: skip
def test_presigned_calls_are_refused(query: str) -> None:
    """They show another key than the gateway's."""
    with pytest.raises(Refusal, match="presigned") as refused:
        signed(s3(), "GET", f"{BUCKET}/a?{query}")
    assert refused.value.code is Code.MALFORMED


@pytest.mark.parametrize(
    ("name", "value"),
    [("Content-Encoding", "aws-chunked"), ("Content-Encoding", "gzip, AWS-chunked"),
     ("X-Amz-Content-SHA256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), ("X-Amz-Trailer", "x-amz-checksum-crc32"),
     ("X-Amz-Content-SHA256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"), ("X-Amz-Decoded-Content-Length", "1")],
)  # fmt: skip
def test_bodies_in_signed_chunks_are_refused(name: str, value: str) -> None:
    """And it is said what to do."""
    with pytest.raises(Refusal, match="AWS_REQUEST_CHECKSUM_CALCULATION"):
        signed(s3(), "PUT", f"{BUCKET}/a", (name, value), body=b"1;chunk-signature=x")


def test_form_uploads_are_refused() -> None:
    """Their signature stands in the body."""
    with pytest.raises(Refusal, match="form"):
        signed(s3(), "POST", BUCKET, ("Content-Type", "multipart/form-data; boundary=x"))


def test_services_with_another_scheme() -> None:
    """Said at once, not by AWS at every call."""
    with pytest.raises(CredentialUnavailable, match="s3express"):
        signer(GUIDE, service="s3express", region="us-east-1")


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The credential cannot be had; it is said what is missing."""
    monkeypatch.setitem(sys.modules, "botocore.auth", None)
    with pytest.raises(CredentialUnavailable, match=r"gatehold\[aws\]"):
        signer(GUIDE, service="s3", region="us-east-1")


def test_nothing_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """Neither by repr nor by botocore's debug log."""
    made = s3("session-planted")
    with caplog.at_level("DEBUG"):
        fields = signed(made, "GET", f"{BUCKET}/a")
    assert repr(made) == "<signer of calls to s3>"
    told = caplog.text + repr(GUIDE) + repr(made)
    assert not any(part in told for part in (GUIDE.key.reveal(), "session-planted", signature(fields)))
