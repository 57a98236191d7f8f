-- Keep the indexes of a definition: all records are to be indexed for it.
--
-- KEYS: the base of a bucket. ARGV: the signature of the indexes, their names with blanks
-- between, and how many definitions may have indexes: the one that came first is dropped.

local base, signature, names = KEYS[1], ARGV[1], ARGV[2]

local function drop(old, its_names)
  local indexes = indexes_of(base, old)
  for name in string.gmatch(its_names, '[^ ]+') do
    redis.call('UNLINK', indexes .. ':index:' .. name)
  end
  redis.call('UNLINK', indexes .. ':entries', indexes .. ':values', indexes .. ':todo')
  redis.call('HDEL', base .. ':indexes', old)
end

local kept = redis.call('HGETALL', base .. ':indexes')
local number, first, first_at = 0, nil, nil
for i = 1, #kept, 2 do
  local moment, its_names = string.match(kept[i + 1], '^(%d+) (.*)$')
  moment = tonumber(moment or 0)
  if kept[i] ~= signature then
    number = number + 1
    if not first_at or moment < first_at then
      first, first_at = {kept[i], its_names or ''}, moment
    end
    if tonumber(ARGV[3]) == 1 then
      drop(kept[i], its_names or '')
    end
  end
end
if is_kept(base, signature) then
  return
end
if number >= tonumber(ARGV[3]) and tonumber(ARGV[3]) > 1 then
  drop(first[1], first[2])
end
drop(signature, names) -- what somebody left there
if redis.call('EXISTS', base .. ':pks') == 1 then
  redis.call('ZUNIONSTORE', indexes_of(base, signature) .. ':todo', 1, base .. ':pks')
end
redis.call('HSET', base .. ':indexes', signature, string.format('%.0f', milliseconds()) .. ' ' .. names)
