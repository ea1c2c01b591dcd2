"""The recordings as history: what is kept of a decision's input, and reading it back from flow files.

::

    noting      a call under way -> the input that its flow carries
    netstrings  bytes of a flow file -> the parts of a flow that are asked for
    reading     flow files -> recorded calls, in the order of time
"""
