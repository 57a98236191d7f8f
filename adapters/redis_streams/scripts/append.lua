-- Put entries at the end of a log.
--
-- KEYS: the log. ARGV: in how many milliseconds the channel is forgotten, '' if that stays as it
--   is; what the keys of its dead letters begin with; and the messages.
-- Returns the ids.

local log, ttl = KEYS[1], ARGV[1]
local ids = {}
for i = 3, #ARGV do
  ids[i - 2] = add(log, 'message', ARGV[i])
end
if ttl ~= '' then
  redis.call('PEXPIRE', log, ttl)
  for _, group in ipairs(groups(log)) do
    redis.call('PEXPIRE', ARGV[2] .. group, ttl)
  end
end
return ids
