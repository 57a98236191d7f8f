-- Find the records that fulfil a condition.
--
-- KEYS: the base of a bucket.
-- ARGV: the signature of its indexes; 'pks', 'values' or 'count';
--   the pk to search behind; how many records are wanted ('' for all);
--   how many candidates may be looked at;
--   the condition, each part before its own parts:
--     'all' or 'any', a number, so many conditions
--     'not', a condition
--     'pks', a number, so many pks in order
--     'equal', an index, a value
--     'range', an index, the first member, the first member behind it
-- Returns {'outdated'}, {'todo'} if records are to be indexed first, {'purge'} if many expired
--   at once, or {'found', cursor, pks}, with the values, or instead of the pks their number. Behind the cursor, a pk, there may be more; it is '' at the end, and nil where
--   what was found is in no order: then it is everything, whatever was wanted.

local PURGED = 1000
local CHUNK = 1000

local base = KEYS[1]
local what, after = ARGV[2], ARGV[3]
local limit = tonumber(ARGV[4]) or math.huge
local budget = tonumber(ARGV[5])
local all_pks = base .. ':pks'

if outdated(base, ARGV[1]) then
  return {'outdated'}
elseif redis.call('EXISTS', base .. ':todo') == 1 then
  return {'todo'}
elseif purge(base, milliseconds(), PURGED) then
  return {'purge'}
end

local next_argument = 6
local function argument()
  next_argument = next_argument + 1
  return ARGV[next_argument - 1]
end

local function parsed()
  local node = {kind = argument()}
  if node.kind == 'all' or node.kind == 'any' then
    for i = 1, tonumber(argument()) do
      node[i] = parsed()
    end
  elseif node.kind == 'not' then
    node[1] = parsed()
  elseif node.kind == 'pks' then
    node.set = {}
    for i = 1, tonumber(argument()) do
      node[i] = argument()
      node.set[node[i]] = true
    end
  else
    node.index = argument()
    node.key = base .. ':index:' .. node.index
    if node.kind == 'equal' then
      node.low = argument() .. END
      node.prefix = #node.low
      node.high = string.sub(node.low, 1, -2) .. '\1'
    else
      node.low, node.high = argument(), argument()
    end
  end
  return node
end

-- Whether `one` is before `other` by its bytes; Lua's own < asks the locale.
local function before(one, other)
  for i = 1, math.min(#one, #other) do
    local left, right = string.byte(one, i), string.byte(other, i)
    if left ~= right then
      return left < right
    end
  end
  return #one < #other
end

local holds

local function all_hold(nodes, pk, except)
  for _, node in ipairs(nodes) do
    if node ~= except and not holds(node, pk) then
      return false
    end
  end
  return true
end

-- Whether the record of `pk` fulfils `node`.
function holds(node, pk)
  if node.kind == 'all' then
    return all_hold(node, pk)
  elseif node.kind == 'any' then
    for _, part in ipairs(node) do
      if holds(part, pk) then
        return true
      end
    end
    return false
  elseif node.kind == 'not' then
    return not holds(node[1], pk)
  elseif node.kind == 'pks' then
    return node.set[pk] == true
  elseif node.kind == 'equal' then
    return redis.call('ZSCORE', node.key, node.low .. pk) and true
  end
  local packed = redis.call('HGET', base .. ':entries', pk)
  for _, member in ipairs(packed and members_of(packed, pk)[node.index] or {}) do
    if not before(member, node.low) and before(member, node.high) then
      return true
    end
  end
  return false
end

-- About how many records fulfil `node`; never fewer than do.
local function estimate(node)
  if node.kind == 'any' then
    local sum = 0
    for _, part in ipairs(node) do
      sum = sum + estimate(part)
    end
    return sum
  elseif node.kind == 'pks' then
    return #node
  elseif node.kind == 'not' then
    return redis.call('ZCARD', all_pks)
  elseif node.kind == 'all' then
    local least = redis.call('ZCARD', all_pks)
    for _, part in ipairs(node) do
      least = math.min(least, estimate(part))
    end
    return least
  end
  return redis.call('ZLEXCOUNT', node.key, '[' .. node.low, '(' .. node.high)
end

-- The part of `all` with the fewest candidates: the others are only tested.
local function driver_of(node)
  local fewest = math.huge
  for _, part in ipairs(node.driver and {} or node) do
    local number = estimate(part)
    if number < fewest then
      node.driver, fewest = part, number
    end
  end
  return node.driver
end

-- Whether `each` comes to the pks of `node` in their order.
local function ordered(node)
  if node.kind == 'all' and #node > 0 then
    return ordered(driver_of(node))
  end
  return node.kind ~= 'range' and (node.kind ~= 'any' or #node == 0)
end

-- Visit the members from `low`, with what lies behind `prefix` bytes as their pks. Without
-- `prefix`, the values before the pks have different lengths.
local function each_member(key, low, high, prefix, visit)
  repeat
    local members = redis.call('ZRANGEBYLEX', key, low, high, 'LIMIT', 0, CHUNK)
    for _, member in ipairs(members) do
      local skipped = prefix
      if not skipped then
        local _, last = string.find(member, END, 1, true)
        skipped = last
      end
      if visit(string.sub(member, skipped + 1), true) == false then
        return
      end
    end
    low = '(' .. (members[#members] or '')
  until #members < CHUNK
end

-- Call `visit(pk, whether it fulfils node)` for all candidates of `node`, until it returns
-- false. Candidates behind `start` are enough, if they come in order.
local function each(node, start, visit)
  if node.kind == 'all' and #node > 0 then
    local driver = driver_of(node)
    each(driver, start, function(pk, held)
      return visit(pk, held and all_hold(node, pk, driver))
    end)
  elseif node.kind == 'any' then
    local seen = {}
    for _, part in ipairs(node) do
      each(part, '', function(pk, held)
        if held and not seen[pk] then
          seen[pk] = true
          visit(pk, true)
        end
      end)
    end
  elseif node.kind == 'pks' then
    for _, pk in ipairs(node) do
      if start == '' or before(start, pk) then
        if visit(pk, redis.call('ZSCORE', all_pks, pk) and true) == false then
          return
        end
      end
    end
  elseif node.kind == 'range' then
    each_member(node.key, '[' .. node.low, '(' .. node.high, nil, visit)
  elseif node.kind == 'equal' then
    local low = start == '' and '[' or '('
    each_member(node.key, low .. node.low .. start, '(' .. node.high, node.prefix, visit)
  else
    local low = start == '' and '-' or '(' .. start
    each_member(all_pks, low, '+', 0, function(pk)
      return visit(pk, node.kind == 'all' or not holds(node[1], pk))
    end)
  end
end

local condition = parsed()

-- How many there are, where an index knows: the values of a range are of one record each.
if what == 'count' then
  if condition.kind == 'all' and #condition == 0 then
    return {'found', '', redis.call('ZCARD', all_pks)}
  elseif condition.kind == 'equal' or condition.kind == 'range' then
    return {'found', '', estimate(condition)}
  end
end

local in_order = ordered(condition)
local pks = {}
local looked_at = 0
local cursor = ''
if not in_order then
  limit, budget, cursor = math.huge, math.huge, false
end
each(condition, after, function(pk, held)
  if held then
    table.insert(pks, pk)
  end
  looked_at = looked_at + 1
  if #pks >= limit or looked_at >= budget then
    cursor = pk
    return false
  end
end)

if what == 'count' then
  return {'found', cursor, #pks}
end
local reply = {'found', cursor, table.concat(pks, '\0')}
if what == 'values' then
  local values = {}
  for first = 1, #pks, AT_A_TIME do
    local some = redis.call(
      'HMGET', base .. ':values', unpack(pks, first, math.min(first + AT_A_TIME - 1, #pks)))
    for _, value in ipairs(some) do
      table.insert(values, value or 'null')
    end
  end
  table.insert(reply, '[' .. table.concat(values, ',') .. ']')
end
return reply
