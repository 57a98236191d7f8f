-- Look through the entries of an index for those that no record has.
--
-- KEYS: the base of a bucket. ARGV: the signature of its indexes; 'repair' or 'look'; the name
-- of the index; the entry to begin behind ('' for all); how many entries to look at.
-- Returns {'outdated'}, or {'checked', the last entry ('' at the end), kind, pk, and so on for
-- each fault}.

local base, repair, name, start, most = KEYS[1], ARGV[2] == 'repair', ARGV[3], ARGV[4], ARGV[5]
if not is_kept(base, ARGV[1]) then
  return {'outdated'}
end
local indexes = indexes_of(base, ARGV[1])
local key = indexes .. ':index:' .. name
local kept = {} -- by pk, the entries that its record has in this index

local function kept_of(pk)
  if not kept[pk] then
    kept[pk] = {}
    local packed = redis.call('HGET', indexes .. ':entries', pk) or ''
    for _, member in ipairs(members_of(packed, pk)[name] or {}) do
      kept[pk][member] = true
    end
  end
  return kept[pk]
end

local entries = redis.call(
  'ZRANGEBYLEX', key, start == '' and '-' or '(' .. start, '+', 'LIMIT', 0, most)
local reply = {'checked', #entries == tonumber(most) and entries[#entries] or ''}
for _, entry in ipairs(entries) do
  local _, last = string.find(entry, END, 1, true)
  local pk = string.sub(entry, (last or 0) + 1) -- without an END, it is nobody's
  if not last or not kept_of(pk)[entry] then
    local there = last and content_of(base, pk)
    table.insert(reply, there and 'stale' or 'orphaned')
    table.insert(reply, pk)
    if repair then
      redis.call('ZREM', key, entry)
    end
  end
end
return reply
