"""What is kept: flow files and the audit journal.

The law of this package: it writes what it is handed and proves that nothing was changed since. It knows files,
hashes and formats; it decides nothing and never sees an unmasked value. Only ``recordings.flows`` imports mitmproxy.
"""
