"""Policies held against calls that were made: what another policy would have said, and what would have been enough.

The law of this package: a recorded call is judged from what was recorded of it, and where a rule asks about something
that was masked, or never known, there is no answer and that is said. Nothing here reads files or the clock.

::

    differences   what masking changed in a value
    inputs        a recorded call: everything its decision was made of, and what of it is hidden
    reading       which parts of which variables a rule reads
    requests      a recorded request as an action again, and which variables are hidden in it
    judging       what an engine says of a recorded call
    comparing     what two engines say
    using         what the rules of one did: coverage, rules in shadow, rules without use
    shapes        calls as the kind of call that a rule is about
    suggesting    least privilege for the kinds of calls that there were
    cells         what two policies answer differently, without any call
"""
