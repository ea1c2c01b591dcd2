"""The shapes of bodies: each module finds, in one format, what is to be replaced and where."""
