"""The shell: everything that talks to identity providers, databases, clusters, files and people.

The law of this package: adapters around the pure kernels. ``gatehold.wiring`` is the one place where they are put
together; nothing below it reaches for a global.
"""
