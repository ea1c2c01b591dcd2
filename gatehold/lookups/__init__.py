"""What the gateway finds out by itself before it decides: the object as it is, and as a write would leave it.

The law of this package: a look-up speaks to the target of the call and to nothing else, under the identity of the call
it is for, within a bounded time, and is told to the journal. What it does not find out stays unknown; it never raises
for what a cluster answers. It decides nothing.

::

    requests      one own call and what came of it         pure
    client        makes own calls, the narrow way
    clusters      issuer keys and token reviews, for identity
    eligibility   where ``dryRun=All`` keeps its promise   pure
    definitions   whether a group is a CRD's
    versions      the resource version that a request states   pure
    ladder        the object now, its parent, the object to be
    changes       old and new for people, and as a digest  pure
    divergence    judged facts against real ones           pure
    slots         how many look-ups run at once            pure
"""
