"""People: how they prove who they are, and how long that is believed.

Law: every function here may block (the store, argon2, an OpenID provider), so an event loop calls it in a thread. What
proves something (passwords, cookies, tokens) is kept only as a digest, and is in no log, event, repr or error. A person
is a user of the store with the groups of this moment; nothing here remembers groups for later.
"""
