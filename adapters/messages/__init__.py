"""Message brokers: the port over a log of messages, and what the logs of backends share."""
