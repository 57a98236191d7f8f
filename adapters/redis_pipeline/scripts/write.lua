-- Write records: all of them or none, or each on its own.
--
-- KEYS: the bases of the buckets that are written to.
-- ARGV: 'all' or 'each'; the signature of the indexes of each base; then for each operation
--   the number of its base, 'put' or 'delete' or 'check', the pk,
--   what is expected ('any', 'nothing' or the SHA-1 of what is stored),
--   and of a put: its ttl in milliseconds ('' for none, 'keep' for what is left),
--   its indexed values, and its packed entries.
-- The document of the n-th operation, a put, is staged in its base's ':staged:n', in the same
-- MULTI: going through Lua, large documents would cost the server three times as much.
-- Returns {'outdated'}, {'unexpected', number of the operation},
--   or {'written', a letter for each operation: 1 there was a record, 0 there was none,
--   x it was not what was expected}.

local PURGED = 100

local all = ARGV[1] == 'all'
local now = milliseconds()
local operations = {}
local at = 2 + #KEYS
while at <= #ARGV do
  local operation = {
    base = KEYS[tonumber(ARGV[at])],
    kind = ARGV[at + 1],
    pk = ARGV[at + 2],
    expected = ARGV[at + 3],
  }
  at = at + 4
  if operation.kind == 'put' then
    operation.staged = operation.base .. ':staged:' .. (#operations + 1)
    operation.ttl = ARGV[at]
    operation.values = ARGV[at + 1]
    operation.entries = ARGV[at + 2]
    at = at + 3
  end
  table.insert(operations, operation)
end

local function give_up(...)
  for _, operation in ipairs(operations) do
    if operation.staged then
      redis.call('DEL', operation.staged)
    end
  end
  return {...}
end

for i, base in ipairs(KEYS) do
  if outdated(base, ARGV[1 + i]) then
    return give_up('outdated')
  end
end

-- Whatever may be wrong is found before anything is written: no error can leave it half done.
local found = {}
for i, operation in ipairs(operations) do
  local key = document(operation.base, operation.pk)
  local there = redis.call('STRLEN', key) > 0
  local met = true
  if operation.expected == 'nothing' then
    met = not there
  elseif operation.expected ~= 'any' then
    met = there and redis.sha1hex(redis.call('GET', key)) == operation.expected
  end
  if all and not met then
    return give_up('unexpected', i)
  end
  found[i] = met and (there and '1' or '0') or 'x'
end

local todo = {}
for _, base in ipairs(KEYS) do
  purge(base, now, PURGED)
  todo[base] = redis.call('EXISTS', base .. ':todo') == 1
end

local function put(operation)
  local base, pk, moment = operation.base, operation.pk, nil
  if operation.ttl == 'keep' then
    moment = redis.call('ZSCORE', base .. ':expiry', pk) or nil
  elseif operation.ttl ~= '' then
    moment = now + tonumber(operation.ttl)
  end
  redis.call('RENAME', operation.staged, document(base, pk))
  if moment then
    moment = string.format('%.0f', moment)
    redis.call('PEXPIREAT', document(base, pk), moment)
    redis.call('ZADD', base .. ':expiry', moment, pk)
  else
    redis.call('PERSIST', document(base, pk))
    redis.call('ZREM', base .. ':expiry', pk)
  end
  redis.call('ZADD', base .. ':pks', 0, pk)
  if redis.call('HGET', base .. ':values', pk) ~= operation.values then
    unindex(base, pk)
    index(base, pk, operation.values, operation.entries)
  end
  if todo[base] then
    redis.call('ZREM', base .. ':todo', pk)
  end
end

for i, operation in ipairs(operations) do
  if operation.kind == 'put' then
    if found[i] == 'x' then
      redis.call('DEL', operation.staged)
    else
      put(operation)
    end
  elseif operation.kind == 'delete' and found[i] ~= 'x' then
    forget(operation.base, operation.pk)
  end
end
return {'written', table.concat(found)}
