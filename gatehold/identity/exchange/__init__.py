"""Foreign tokens and assertions in, short-lived tokens of the gateway out (RFC 8693, RFC 7522).

The law of this package: a token that is made here says nothing that its source did not say, and ends no later; it keeps
the source's issuer, subject and session, so that whatever revokes the source revokes it too. It is never exchanged
again. Of an assertion, only the element whose signature was verified is read, and it counts once.

::

    requests   form -> what is asked for                      pure
    markup     XML text -> tree without anything dangerous    pure
    signature  tree + certificates -> the element they signed pure
    assertion  that element -> what it says, at which times   pure
    saml       all of it together -> Agent                    pure
    replay     which assertions were used                     store
    keys       by what tokens are signed and known again      store
    tokens     Agent -> token -> Agent
    exchanging request -> token
"""
