"""Slack: messages with buttons, and the answers that come back, by Socket Mode or signed HTTP.

Imported only where a channel of this kind is configured: the client brings aiohttp.
"""
