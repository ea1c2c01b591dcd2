"""The pages on which people answer, and see what their agents do.

Law: a page shows and a form asks; what counts is decided below, by the desk and the policy. Nothing that an agent or an
upstream wrote reaches a page but through ``visible`` and the template's escaping. GET changes nothing. No agent's token
is ever looked at here.
"""
