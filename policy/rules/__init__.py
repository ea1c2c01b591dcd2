"""Rules: the shape of policy documents, their compiled form, and the index that finds the few that may apply.

The law of this package: documents go in, values come out. Nothing here reads a file or a clock; a document that
cannot be used is told as a list of problems, all of them at once, and never half compiled.
"""
