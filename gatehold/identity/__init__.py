"""Who is calling: agent tokens in, ``policy.model.Agent`` out.

The law of this package: nothing in a token is believed before a key of the issuer that it names has verified its
signature; an issuer is one that the configuration lists, never one that a token brings along; no error, log line or
repr holds a part of a token. The event loop is never blocked by an identity provider.

::

    extraction   header value -> token                  pure
    jose         token -> header, payload, signature    pure, nothing trusted yet
    jwk          what makes a key, and its name         pure
    keyset       JWKS document -> keys by ``kid``       pure
    paths        where a claim stands in a payload      pure
    issuers      what an issuer's tokens must say       pure
    claims       payload + issuer -> Agent              pure
    sources      where a JWKS document comes from       files, HTTP
    clusters     Kubernetes clusters as issuers         by a Protocol
    jwks         one issuer's keys, kept fresh
    trusted      every configured issuer with its keys
    vouching     who stands behind which kind of token  Protocols
    verifier     all of it together, with the cache
    keys, tokens the embedded issuer: key generation, token making
    api_keys     keys of machines without an issuer     store
    exchange     foreign tokens and assertions in, tokens of the gateway out
"""
