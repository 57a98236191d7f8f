-- Hold what is known of records against the records, as they were read a moment ago.
--
-- KEYS: the base of a bucket. ARGV: the signature of its indexes; 'repair' or 'look'; then for
-- each record its pk, the SHA-1 of what was read ('' for nothing), its indexed values ('' if it
-- could not be read: nobody knows what would be right then) and its packed entries.
-- Returns {'outdated'}, or {'checked', kind, pk, index, and so on for each fault}.
-- A record that was written to meanwhile is passed over: that write left it right. A key that
-- holds something else than a document is no record, and is left alone.

local base = KEYS[1]
if not is_kept(base, ARGV[1]) then
  return {'outdated'}
end
local indexes = indexes_of(base, ARGV[1])
local repair = ARGV[2] == 'repair'
local now = milliseconds()
local reply = {'checked'}

local function report(kind, pk, name)
  table.insert(reply, kind)
  table.insert(reply, pk)
  table.insert(reply, name)
end

local function set_of(packed, pk)
  local set = {}
  for name, members in pairs(members_of(packed, pk)) do
    set[name] = {}
    for _, member in ipairs(members) do
      set[name][member] = true
    end
  end
  return set
end

-- Report each index whose entries are not those of `packed`.
local function check_entries(pk, values, packed)
  local right = set_of(packed, pk)
  local kept = set_of(redis.call('HGET', indexes .. ':entries', pk) or '', pk)
  local wrong = false
  for name, members in pairs(right) do
    for member in pairs(members) do
      if not redis.call('ZSCORE', indexes .. ':index:' .. name, member) then
        report('missing', pk, name)
        wrong = true
        break
      end
    end
  end
  for name, members in pairs(kept) do
    for member in pairs(members) do
      if not (right[name] and right[name][member]) then
        report('stale', pk, name)
        wrong = true
        break
      end
    end
  end
  local known = redis.call('HGET', indexes .. ':values', pk)
  if not wrong and (known ~= values or redis.call('HGET', indexes .. ':entries', pk) ~= packed) then
    report('stale', pk, 'pk')
  end
end

local function check(pk, values, packed)
  local before = #reply
  local moment = redis.call('ZSCORE', base .. ':expiry', pk)
  local left = redis.call('PTTL', document(base, pk))
  if not redis.call('ZSCORE', base .. ':pks', pk) then
    report('missing', pk, 'pk')
  end
  if left >= 0 and not moment then
    report('missing', pk, 'ttl')
  elseif left < 0 and moment then
    report('stale', pk, 'ttl')
  end
  if values ~= '' then
    check_entries(pk, values, packed)
  end
  if not repair or #reply == before then
    return
  end
  redis.call('ZADD', base .. ':pks', 0, pk)
  if left >= 0 then
    redis.call('ZADD', base .. ':expiry', string.format('%.0f', now + left), pk)
  else
    redis.call('ZREM', base .. ':expiry', pk)
  end
  if values ~= '' then
    unindex(indexes, pk)
    index(indexes, pk, values, packed)
  end
end

for at = 3, #ARGV, 4 do
  local pk, version, values, packed = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local content, is_other = content_of(base, pk)
  if redis.call('ZSCORE', indexes .. ':todo', pk) then
    -- It has no entries yet, and a search indexes it first.
  elseif content and redis.sha1hex(content) == version then
    check(pk, values, packed)
  elseif (not content and version == '') or is_other then
    local moment = redis.call('ZSCORE', base .. ':expiry', pk)
    local due = moment and tonumber(moment) <= now
    local known = redis.call('ZSCORE', base .. ':pks', pk)
      or redis.call('HEXISTS', indexes .. ':entries', pk) == 1
    if known and not due then
      report('orphaned', pk, 'pk')
      if repair then
        forget(base, pk)
      end
    end
  end
end
return reply
