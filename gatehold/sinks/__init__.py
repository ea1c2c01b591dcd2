"""Who else is told of audit events: sinks that get lines of the journal, anchors that keep its checkpoints.

A sink reads the journal's own files from where it stopped; nothing is copied for it, and nobody waits for it.
"""
