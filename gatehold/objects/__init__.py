"""Recordings in a bucket: finished files are copied there, created and never overwritten; some are kept only there.

The spool is the finished files themselves and a ledger of what arrived; calls wait for none of it.
"""
