-- Shared by the scripts: a log is a stream; beside it, ':last' keeps the last id of one that was
-- deleted, so that the ids of a new one go on behind it.

local REMEMBERED = 86400000 -- milliseconds

-- The reply to a command; nil where it is an error that has `expected` in it.
local function try(expected, ...)
  local reply = redis.pcall(...)
  if type(reply) ~= 'table' or not reply.err then
    return reply
  end
  if string.find(tostring(reply.err), expected, 1, true) then -- to fakeredis it is an object
    return nil
  end
  return redis.call(...) -- which fails, and says so as the server does
end

-- What XINFO STREAM or one of XINFO GROUPS says of `name`.
local function of(info, name)
  for i = 1, #info, 2 do
    if info[i] == name then
      return info[i + 1]
    end
  end
end

-- The id of the newest entry that there was; nil if there is no log.
local function last_id(log)
  local info = try('no such key', 'XINFO', 'STREAM', log)
  return info and of(info, 'last-generated-id')
end

local function groups(log)
  local names = {}
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', log)) do
    table.insert(names, of(group, 'name'))
  end
  return names
end

-- Put an entry at the end of a log; its id.
local function add(log, ...)
  local id = '*'
  local forgotten = redis.call('GET', log .. ':last')
  if forgotten then
    local milliseconds, number = string.match(forgotten, '^(%d+)-(%d+)$')
    local time = redis.call('TIME')
    if time[1] * 1000 + math.floor(time[2] / 1000) <= tonumber(milliseconds) then
      id = milliseconds .. '-' .. string.format('%.0f', number + 1)
    end
  end
  local added = redis.call('XADD', log, id, ...)
  if forgotten then
    redis.call('DEL', log .. ':last')
  end
  return added
end
