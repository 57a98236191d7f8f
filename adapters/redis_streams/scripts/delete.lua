-- Forget a log, and the dead letters of its groups; 1 if it was there, else 0.
--
-- KEYS: the log. ARGV: what the keys of its dead letters begin with, '' if it has none.

local function forget(log)
  local last = last_id(log)
  if last and last ~= '0-0' then
    redis.call('SET', log .. ':last', last, 'PX', REMEMBERED)
  end
  return redis.call('UNLINK', log)
end

local log, dead = KEYS[1], ARGV[1]
if dead ~= '' and redis.call('EXISTS', log) == 1 then
  for _, group in ipairs(groups(log)) do
    forget(dead .. group)
  end
end
return forget(log)
