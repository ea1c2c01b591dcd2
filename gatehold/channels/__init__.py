"""Channels that tell people what waits for them, and by which some answer: webhooks, Slack.

What is told is kept in the store: a row for each channel, approval and event, made once, taken by one gateway at a
time, sent until it is received or given up. No call waits for any of it.
"""
