"""What all tests share."""

import hypothesis

# The machine is shared: how long one example takes says nothing about the code.
hypothesis.settings.register_profile("gatehold", deadline=None)
hypothesis.settings.load_profile("gatehold")
