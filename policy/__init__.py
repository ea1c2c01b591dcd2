"""What is allowed: pure decisions about calls.

The law of this package: no I/O, no clock of its own, no mitmproxy, no network, no database. Bytes and
values go in, a decision comes out, and the same input always gives the same answer.
"""
