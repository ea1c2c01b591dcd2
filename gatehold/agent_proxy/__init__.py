"""A forwarder beside an agent: clients that cannot show a token, or renew it, speak to it on the loopback interface.

It reads the agent's token from a file for every connection, adds it as ``Proxy-Authorization``, and passes bytes on. It
judges nothing: what the agent may do is said by the gateway, to which it is one more client. It imports neither
mitmproxy nor a configuration.

::

    heads    what is read of requests and answers, and what is changed in them
    tokens   the token file, and how long a token lasts
    gateway  the connection to the gateway, by TLS where its address says so
    relaying bytes in both directions, with backpressure and half-close
    serving  one connection of a client from its head to its end, and the limits
    running  the process
"""
