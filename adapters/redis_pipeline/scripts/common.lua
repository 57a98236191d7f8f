-- What all scripts share. They come after this in one chunk, so everything here is local.
--
-- Every key is made from a bucket's base, KEYS[i]: all of them are in the base's hash slot.
-- Values arrive in ARGV and are never made into code.

-- Redis 6 replicates the commands of a script that reads the clock only if asked to.
if redis.replicate_commands then
  redis.replicate_commands()
end

local END = '\0\0'
local AT_A_TIME = 1000 -- arguments that are given to one command

local function milliseconds()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function document(base, pk)
  return base .. ':docs:' .. pk
end

-- The members of each index that `packed` entries of a record are.
local function members_of(packed, pk)
  local members = {}
  local at = 1
  while at <= #packed do
    local _, last, name, length = string.find(packed, '^([^ ]+) (%d+) ', at)
    if not last then
      break -- somebody wrote to them; no error may come up in the middle of a write
    end
    local value = string.sub(packed, last + 1, last + length)
    members[name] = members[name] or {}
    table.insert(members[name], value .. END .. pk)
    at = last + length + 1
  end
  return members
end

-- What the keys of some indexes of a bucket begin with. Each definition of a model has its own.
local function indexes_of(base, signature)
  return base .. ':' .. signature
end

local known = {}

-- The signatures of all indexes that a bucket keeps.
local function signatures(base)
  known[base] = known[base] or redis.call('HKEYS', base .. ':indexes')
  return known[base]
end

local function is_kept(base, signature)
  return redis.call('HEXISTS', base .. ':indexes', signature) == 1
end

-- Take a record out of some indexes.
local function unindex(indexes, pk)
  local packed = redis.call('HGET', indexes .. ':entries', pk)
  if not packed then
    return
  end
  for name, members in pairs(members_of(packed, pk)) do
    for first = 1, #members, AT_A_TIME do
      local last = math.min(first + AT_A_TIME - 1, #members)
      redis.call('ZREM', indexes .. ':index:' .. name, unpack(members, first, last))
    end
  end
  redis.call('HDEL', indexes .. ':entries', pk)
  redis.call('HDEL', indexes .. ':values', pk)
end

-- Put a record into some indexes.
local function index(indexes, pk, values, packed)
  redis.call('HSET', indexes .. ':values', pk, values)
  redis.call('HSET', indexes .. ':entries', pk, packed)
  for name, members in pairs(members_of(packed, pk)) do
    for first = 1, #members, AT_A_TIME do
      local arguments = {}
      for i = first, math.min(first + AT_A_TIME - 1, #members) do
        table.insert(arguments, 0)
        table.insert(arguments, members[i])
      end
      redis.call('ZADD', indexes .. ':index:' .. name, unpack(arguments))
    end
  end
end

-- Remove all that is known of a record, but not the record.
local function forget(base, pk)
  for _, signature in ipairs(signatures(base)) do
    local indexes = indexes_of(base, signature)
    unindex(indexes, pk)
    redis.call('ZREM', indexes .. ':todo', pk)
  end
  redis.call('ZREM', base .. ':pks', pk)
  redis.call('ZREM', base .. ':expiry', pk)
end

-- Remove `most` of the records whose time has come; whether there may be more of them.
local function purge(base, now, most)
  local due = redis.call(
    'ZRANGEBYSCORE', base .. ':expiry', '-inf', '(' .. string.format('%.0f', now), 'LIMIT', 0, most)
  for _, pk in ipairs(due) do
    forget(base, pk)
    redis.call('DEL', document(base, pk))
  end
  return #due == most
end

-- The document of a record, and whether its key holds something else.
local function content_of(base, pk)
  local reply = redis.pcall('GET', document(base, pk))
  if type(reply) == 'table' then
    return false, true
  end
  return reply, false
end
