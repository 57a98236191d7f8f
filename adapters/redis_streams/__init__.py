"""Messages on Redis Streams: the broker of every store on a Redis or Valkey server or cluster.

A channel is a stream, and a group of consumers is a group of that stream.
"""
