"""Upstreams to try Gatehold on: a small REST API with customers and a Kubernetes-like API server.

Both are plain ASGI applications that know nothing of the gateway: they demand their own credential, answer like the
real thing where it matters, and keep what they received, so that a demo or a test can show what reached them. All
personal data and secrets they hold are made up.
"""
