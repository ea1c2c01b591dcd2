"""What an agent's process needs so that its clients go through the gateway and trust it.

Nothing here knows a token: it stands as ``${GATEHOLD_TOKEN}`` in whatever is printed.

::

    places     where agents reach the gateway, from its listeners
    trust      the system's certificate authorities and the gateway's own, as files for every client
    variables  the environment that clients read
    formats    that environment for shells, dotenv files, Kubernetes and Compose
    kubeconfig the same for clients of Kubernetes
"""
