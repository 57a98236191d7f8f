-- Write records: all of them or none, or each on its own.
--
-- KEYS: the bases of the buckets that are written to.
-- ARGV: 'all' or 'each'; how many signatures of indexes follow, and they; then for each operation
--   the number of its base and of its signature, 'put' or 'delete' or 'check', the pk,
--   what is expected ('any', 'nothing' or the SHA-1 of what is stored),
--   and of a put: its ttl in milliseconds ('' for none, 'keep' for what is left),
--   its indexed values, its packed entries, and its document.
-- That is '' if the document of the n-th operation is staged in its base's ':staged:n', in the
-- same MULTI: going through Lua, large ones would cost the server three times as much.
-- Returns {'outdated'}, {'unexpected', number of the operation},
--   or {'written', a letter for each operation: 1 there was a record, 0 there was none,
--   x it was not what was expected}.

local PURGED = 100

local all = ARGV[1] == 'all'
local now = milliseconds()
local operations = {}
local at = 3 + tonumber(ARGV[2])
while at <= #ARGV do
  local operation = {
    base = KEYS[tonumber(ARGV[at])],
    signature = ARGV[2 + tonumber(ARGV[at + 1])],
    kind = ARGV[at + 2],
    pk = ARGV[at + 3],
    expected = ARGV[at + 4],
  }
  at = at + 5
  if operation.kind == 'put' then
    operation.ttl = ARGV[at]
    operation.values = ARGV[at + 1]
    operation.entries = ARGV[at + 2]
    operation.document = ARGV[at + 3]
    if operation.document == '' then
      operation.staged = operation.base .. ':staged:' .. (#operations + 1)
    end
    at = at + 4
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

local seen = {}
for _, operation in ipairs(operations) do
  local indexes = indexes_of(operation.base, operation.signature)
  if not seen[indexes] and not is_kept(operation.base, operation.signature) then
    return give_up('outdated')
  end
  seen[indexes] = true
end

-- First everything is looked at, so that all or nothing is known before anything is written.
local found = {}
for i, operation in ipairs(operations) do
  local key = document(operation.base, operation.pk)
  local there
  if operation.kind == 'delete' and operation.expected == 'any' then
    there = redis.call('EXISTS', key) == 1 -- also what is no document
  else
    there = redis.call('STRLEN', key) > 0
  end
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
  for _, signature in ipairs(signatures(base)) do
    local indexes = indexes_of(base, signature)
    todo[indexes] = redis.call('EXISTS', indexes .. ':todo') == 1
  end
end

-- Let all indexes that are kept know of a record; those of other definitions, that it changed.
local function reindex(operation)
  local base, pk = operation.base, operation.pk
  redis.call('ZADD', base .. ':pks', 0, pk)
  for _, signature in ipairs(signatures(base)) do
    local indexes = indexes_of(base, signature)
    if signature ~= operation.signature then
      unindex(indexes, pk)
      redis.call('ZADD', indexes .. ':todo', 0, pk)
    else
      if redis.call('HGET', indexes .. ':values', pk) ~= operation.values then
        unindex(indexes, pk)
        index(indexes, pk, operation.values, operation.entries)
      end
      if todo[indexes] then
        redis.call('ZREM', indexes .. ':todo', pk)
      end
    end
  end
end

-- When the record will expire, in milliseconds; nil for never.
local function moment_of(operation)
  if operation.ttl == 'keep' then
    local left = redis.call('PTTL', document(operation.base, operation.pk))
    return left >= 0 and now + left or nil
  end
  return operation.ttl ~= '' and now + tonumber(operation.ttl) or nil
end

-- Documents come last: where an index cannot be written to, no record has changed.
for i, operation in ipairs(operations) do
  if found[i] == 'x' then
    if operation.staged then
      redis.call('DEL', operation.staged)
    end
  elseif operation.kind == 'put' then
    reindex(operation)
    operation.moment = moment_of(operation)
    if operation.moment then
      operation.moment = string.format('%.0f', operation.moment)
      redis.call('ZADD', operation.base .. ':expiry', operation.moment, operation.pk)
    else
      redis.call('ZREM', operation.base .. ':expiry', operation.pk)
    end
  elseif operation.kind == 'delete' then
    forget(operation.base, operation.pk)
  end
end
for i, operation in ipairs(operations) do
  local key = document(operation.base, operation.pk)
  if found[i] ~= 'x' and operation.kind == 'put' then
    if operation.staged then
      redis.call('RENAME', operation.staged, key)
    else
      redis.call('SET', key, operation.document)
    end
    if operation.moment then
      redis.call('PEXPIREAT', key, operation.moment)
    elseif operation.staged then
      redis.call('PERSIST', key)
    end
  elseif found[i] ~= 'x' and operation.kind == 'delete' then
    redis.call('DEL', key)
  end
end
return {'written', table.concat(found)}
