"""The sessions of agents: which there are, how long they may last, and what ends them.

A session is what the token says it is (``policy.model.Agent.session``). It begins with its first call and ends when
its tokens do, or earlier: by the bounds of the rules that its calls matched, by a person, with everything else by the
emergency stop. One that ended does not begin again, whatever token comes. Laws: no call waits for the store but the
first of a session in a process; what cannot be known refuses; this package knows nothing of mitmproxy.
"""
