"""What is hidden: bytes in, masked bytes out.

The law of this package: pure. No I/O, no mitmproxy, no network. What cannot be masked raises; it is never
passed on. Presidio is imported by one module only (``masking.detectors``).
"""
