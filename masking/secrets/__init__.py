"""Keys and tokens by their form, in families. Pure data and checks; ``masking.secret_patterns`` collects them.

Precision comes first: a form is listed when its prefix, alphabet and length leave no doubt, or when the text itself
says what the value is (``password=``, ``Bearer``, ``user:...@host``), in which case only the value is the match.
"""
