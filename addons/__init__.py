"""How it meets mitmproxy: one file per stage of a call.

The law of this package: an addon translates between a flow and the domain, and does nothing else. No addon decides,
masks or stores by itself, and every one of them fails closed.
"""
