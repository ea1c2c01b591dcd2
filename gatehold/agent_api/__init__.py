"""The listener where agents ask who they are taken for, why a call was refused, and whether it may go on.

Law: it answers questions and changes nothing. Every request carries the agent's own token; what is not the asking
agent's own is answered exactly like what does not exist. It runs in the gateway's event loop and can therefore never
wait: what reads the store does so in a few threads, what waits for people is bounded in time and number.
"""
