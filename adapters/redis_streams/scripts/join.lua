-- Make a group if it is not there, and let what a consumer was given be due.
--
-- KEYS: the log. ARGV: the group, the consumer, and behind which id a new group begins.

local log, group, consumer = KEYS[1], ARGV[1], ARGV[2]
local MOST = 1000

try('BUSYGROUP', 'XGROUP', 'CREATE', log, group, ARGV[3], 'MKSTREAM')
local from = '-'
while true do
  local mine = redis.call('XPENDING', log, group, from, '+', MOST, consumer)
  if #mine > 0 then
    local ids = {}
    for i, each in ipairs(mine) do
      ids[i] = each[1]
    end
    from = '(' .. ids[#ids]
    -- As if they had been given in 1970; JUSTID, so that it does not count as a try.
    table.insert(ids, 'TIME')
    table.insert(ids, 1)
    table.insert(ids, 'JUSTID')
    redis.call('XCLAIM', log, group, consumer, 0, unpack(ids))
  end
  if #mine < MOST then
    return redis.status_reply('OK')
  end
end
