"""Hot reload: a changed configuration comes into force as a whole, or not at all.

::

    removals    what protected before and would be gone
    restarts    what only a restart can change
    reading     directory -> a configuration that may come into force, or why it may not
    reports     what an attempt came to
    pending     files that wait for somebody's word, and that word
    asking      attempts that were asked for through the store, and what was answered
    serving     watches, takes, tells
"""
