"""JSON Web Keys and their names."""

import pytest

from gatehold.identity.jwk import PUBLIC_MEMBERS, thumbprint


def test_thumbprint_is_that_of_the_rfc() -> None:
    """The example of RFC 7638, section 3.1, and that of RFC 8037, appendix A.3."""
    modulus = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknj"
        "hMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQ"
        "vRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzK"
        "nqDKgw"
    )
    rfc7638 = {"kty": "RSA", "n": modulus, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"}
    assert thumbprint(rfc7638) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    rfc8037 = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    assert thumbprint(rfc8037) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@pytest.mark.parametrize("kind", PUBLIC_MEMBERS)
def test_only_the_required_members_count(kind: str) -> None:
    """Whatever else a key's document says, and in whatever order, the name is the same; a changed member changes it."""
    key = {name: f"{name}-value" for name in PUBLIC_MEMBERS[kind]} | {"kty": kind}
    more = {"x5c": ["AAAA"], "kid": "k", **dict(reversed(key.items()))}
    assert thumbprint(more) == thumbprint(key)
    for name in set(PUBLIC_MEMBERS[kind]) - {"kty"}:
        assert thumbprint({**key, name: "other"}) != thumbprint(key)
