-- Give a consumer its next entry, if there is one.
--
-- KEYS: the log, and that of the group's dead letters.
-- ARGV: the group, the consumer, after how many milliseconds an entry is due again, how many
--   tries it has, how many entries to look at; how many milliseconds ago an answer to the
--   consumer may first have been lost ('' for none), and 'id:tries' of what did reach it.
-- Returns {'given', entry, tries}, {'found', entry, tries} for what was given before in an answer
--   that was lost, {'more'} if there is more to look at, or {'nothing'}.

local log, dead = KEYS[1], KEYS[2]
local group, consumer, retry_after = ARGV[1], ARGV[2], ARGV[3]
local max_tries, most = tonumber(ARGV[4]), tonumber(ARGV[5])

local function pending(...)
  local found = try('NOGROUP', 'XPENDING', log, group, ...)
  if not found then -- the group was forgotten with the channel
    redis.call('XGROUP', 'CREATE', log, group, '0', 'MKSTREAM')
  end
  return found or {}
end

local function find(id)
  return redis.call('XRANGE', log, id, id)[1]
end

local function bury(entry)
  local message = of(entry[2], 'message') or ''
  add(dead, 'message', message, 'original', entry[1])
  local left = redis.call('PTTL', log)
  if left >= 0 then
    redis.call('PEXPIRE', dead, left)
  end
end

if ARGV[6] ~= '' then
  local arrived = {}
  for i = 7, #ARGV do
    arrived[ARGV[i]] = true
  end
  for _, each in ipairs(pending('-', '+', most, consumer)) do
    local id, idle, tries = each[1], each[3], each[4]
    if idle <= tonumber(ARGV[6]) and not arrived[id .. ':' .. tries] then
      local entry = find(id)
      if entry then
        return {'found', entry, tries}
      end
    end
  end
end

local due = pending('IDLE', retry_after, '-', '+', most)
for _, each in ipairs(due) do
  local id, tries = each[1], each[4]
  local entry = find(id) -- nil if it was trimmed
  if entry and tries < max_tries then
    redis.call('XCLAIM', log, group, consumer, 0, id)
    return {'given', entry, tries + 1}
  end
  if entry then
    bury(entry)
  end
  redis.call('XACK', log, group, id)
end
if #due == most then
  return {'more'}
end

local new = redis.call('XREADGROUP', 'GROUP', group, consumer, 'COUNT', 1, 'STREAMS', log, '>')
if new and #new > 0 then
  return {'given', new[1][2][1], 1}
end
return {'nothing'}
