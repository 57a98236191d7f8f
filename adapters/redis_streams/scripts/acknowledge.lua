-- Let a group be done with an entry; 1 if it was given out and is still there, else 0.
--
-- KEYS: the log. ARGV: the group, and the entry's id.

local there = #redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2])
return math.min(there, redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]))
