"""Recorded calls, made again through a running gateway: as a new agent, with what that agent may do now."""
