-- Find the records that fulfil a condition.
--
-- KEYS: the base of a bucket.
-- ARGV: the signature of the indexes; 'pks', 'documents', 'values' or 'count';
--   the cursor of the answer before, or 'o' and a pk to search behind, or 'o' alone;
--   how many records are wanted ('' for all);
--   how much work may be done: a look at a record or an entry is 1;
--   the condition, each part before its own parts:
--     'all' or 'any', a number, so many conditions; the parts of 'all' are no 'all' themselves
--     'not', a condition
--     'pks', a number, so many pks in order
--     'equal', an index, a value
--     'one of', an index, a number, so many different values
--     'range', an index, the first member, the first member behind it
-- Returns {'outdated'}, {'todo'} if records are to be indexed first, {'purge'} if many expired at
--   once, or {'found', cursor, whether the answer is in order, pks}: with the values behind the
--   pks, or with the documents if they are few and small, or their number instead of them. '' is
--   the cursor at the end. An answer that is not in order is a part of what is searched for,
--   whatever was to be searched behind. pks and values are in strings of some of them each, which
--   Lua makes sooner than a long one.

local PURGED = 1000
local CHUNK = 1000
local JOINED = 50
local FEW, SMALL = 16, 32768 -- documents, and their bytes: another round trip costs more than these
local WALK = 8 -- how much more a test of a record costs than a look at an entry

local base, what = KEYS[1], ARGV[2]
local limit = tonumber(ARGV[4]) or math.huge
local budget = tonumber(ARGV[5])
local all_pks = base .. ':pks'
local indexes = indexes_of(base, ARGV[1])
local work = 0

if not is_kept(base, ARGV[1]) then
  return {'outdated'}
elseif redis.call('EXISTS', indexes .. ':todo') == 1 then
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
    node.key = indexes .. ':index:' .. node.index
    if node.kind == 'equal' then
      node.low = argument() .. END
      node.high = string.sub(node.low, 1, -2) .. '\1'
    elseif node.kind == 'one of' then
      node.set = {}
      for i = 1, tonumber(argument()) do
        node[i] = argument() .. END
        node.set[node[i]] = true
      end
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
  end
  work = work + 1
  if node.kind == 'equal' then
    return redis.call('ZSCORE', node.key, node.low .. pk) and true
  end
  local packed = redis.call('HGET', indexes .. ':entries', pk)
  for _, member in ipairs(packed and members_of(packed, pk)[node.index] or {}) do
    if node.kind == 'one of' then
      if node.set[string.sub(member, 1, -#pk - 1)] then
        return true
      end
    elseif not before(member, node.low) and before(member, node.high) then
      return true
    end
  end
  return false
end

local function members_between(key, low, high)
  return redis.call('ZLEXCOUNT', key, '[' .. low, '(' .. high)
end

-- About how many records fulfil `node`; never fewer than do.
local function estimate(node)
  if node.kind == 'equal' or node.kind == 'range' then
    return members_between(node.key, node.low, node.high)
  elseif node.kind == 'pks' then
    return #node
  elseif node.kind == 'any' or node.kind == 'one of' then
    local sum = 0
    for _, part in ipairs(node) do
      local low = node.kind == 'one of' and part
      sum = sum + (low and members_between(node.key, low, string.sub(low, 1, -2) .. '\1')
        or estimate(part))
    end
    return sum
  end
  local least = redis.call('ZCARD', all_pks)
  for _, part in ipairs(node.kind == 'all' and node or {}) do
    least = math.min(least, estimate(part))
  end
  return least
end

-- Visit the members from `low` until `visit` returns false. The pks lie behind `prefix` bytes;
-- without `prefix`, the values before them have different lengths.
local function each_member(key, low, high, prefix, visit)
  repeat
    local members = redis.call('ZRANGEBYLEX', key, low, high, 'LIMIT', 0, CHUNK)
    for _, member in ipairs(members) do
      local skipped = prefix
      if not skipped then
        local _, last = string.find(member, END, 1, true)
        skipped = last or #member
      end
      if visit(string.sub(member, skipped + 1), true, member) == false then
        return
      end
    end
    low = '(' .. (members[#members] or '')
  until #members < CHUNK
end

local function each_equal(key, low, start, visit)
  each_member(
    key, (start == '' and '[' or '(') .. low .. start, '(' .. string.sub(low, 1, -2) .. '\1', #low, visit)
end

-- Call `visit(pk, whether it fulfils node, member)` for all candidates of `node`, until it returns
-- false: those behind the pk `start`, where they come in order, and those behind the member
-- `resume` of a range.
local function each(node, start, resume, visit)
  if node.driver then
    each(node.driver, start, resume, function(pk, held, member)
      return visit(pk, held and all_hold(node, pk, node.driver), member)
    end)
  elseif node.kind == 'any' or node.kind == 'one of' then
    local seen = {}
    local function visit_once(pk, held)
      if held and not seen[pk] then
        seen[pk] = true
        visit(pk, true)
      end
    end
    for _, part in ipairs(node) do
      if node.kind == 'one of' then
        each_equal(node.key, part, '', visit_once)
      else
        each(part, '', nil, visit_once)
      end
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
    each_member(
      node.key, resume and '(' .. resume or '[' .. node.low, '(' .. node.high, nil, visit)
  elseif node.kind == 'equal' then
    each_equal(node.key, node.low, start, visit)
  else
    each_member(all_pks, start == '' and '-' or '(' .. start, '+', 0, function(pk)
      if node.kind == 'not' then
        return visit(pk, not holds(node[1], pk))
      end
      return visit(pk, all_hold(node, pk))
    end)
  end
end

-- Of each `all`, the part with the fewest candidates drives it: the others are only tested.
local function choose_drivers(node)
  if node.kind == 'not' then
    return
  end
  local fewest = node.kind == 'all' and redis.call('ZCARD', all_pks)
  for number, part in ipairs(node.set and {} or node) do
    if node.kind == 'all' then
      local candidates = part.kind ~= 'not' and estimate(part) or math.huge
      if candidates < fewest then
        node.driver, node.driver_number, fewest = part, number, candidates
      end
    else
      choose_drivers(part)
    end
  end
  if node.driver then
    choose_drivers(node.driver)
  end
end

-- The documents of some records; none if they are many or large, or a key holds something else:
-- who reads it is told.
local function documents_of(pks)
  local keys, bytes = {}, 0
  for i = 1, #pks <= FEW and #pks or 0 do
    keys[i] = document(base, pks[i])
    local length = redis.pcall('STRLEN', keys[i])
    bytes = bytes + (type(length) == 'number' and length or math.huge)
    if bytes > SMALL then
      return {}
    end
  end
  return #keys > 0 and redis.call('MGET', unpack(keys)) or {}
end

local condition = parsed()

-- How many there are, where an index knows: the values of a range are of one record each.
if what == 'count' then
  if condition.kind == 'all' and #condition == 0 then
    return {'found', '', 1, redis.call('ZCARD', all_pks)}
  elseif condition.kind == 'equal' or condition.kind == 'range' then
    return {'found', '', 1, estimate(condition)}
  end
end

-- A cursor is 'o' and a pk, or 'm', the number of the driver, ':' and a member of its range.
local cursor = ARGV[3]
local start = string.sub(cursor, 1, 1) == 'o' and string.sub(cursor, 2) or ''
local driver_number, resume = string.match(cursor, '^m(%d+):(.*)$')
if resume then
  driver_number = tonumber(driver_number)
  condition.driver, condition.driver_number = condition[driver_number], driver_number
else
  choose_drivers(condition)
end
local source = condition.driver or condition

local function is_in_order()
  return source.kind ~= 'range' and source.kind ~= 'any' and source.kind ~= 'one of'
end

-- A few of many are found sooner by testing the records one after the other.
if not is_in_order() and not resume and limit < math.huge then
  local number = estimate(source)
  if WALK * limit * redis.call('ZCARD', all_pks) < number * number then
    condition = {kind = 'all', condition}
    source = condition
  end
end
local in_order = is_in_order()
local may_stop = in_order or source.kind == 'range'
if not in_order then
  limit = math.huge
end

local pks = {}
local reached = ''

-- Take the members from `low` as they come: they fulfil the condition, and are not looked at.
local function take(key, low, high, prefix)
  local most = math.min(limit, budget)
  pks = redis.call('ZRANGEBYLEX', key, low, high, 'LIMIT', 0, most)
  for i = 1, prefix > 0 and #pks or 0 do
    pks[i] = string.sub(pks[i], prefix + 1)
  end
  reached = #pks == most and 'o' .. pks[most] or ''
end

if condition.kind == 'all' and #condition == 0 then
  take(all_pks, start == '' and '-' or '(' .. start, '+', 0)
elseif condition.kind == 'equal' then
  local low = condition.low
  take(condition.key, (start == '' and '[' or '(') .. low .. start, '(' .. condition.high, #low)
else
  each(condition, start, resume, function(pk, held, member)
    if held then
      table.insert(pks, pk)
    end
    work = work + 1
    if may_stop and (#pks >= limit or work >= budget) then
      reached = in_order and 'o' .. pk or 'm' .. (condition.driver_number or 0) .. ':' .. member
      return false
    end
  end)
end

local order = in_order and 1 or 0
if what == 'count' then
  return {'found', reached, order, #pks}
end
local joined_pks, joined_values = {}, {}
for first = 1, #pks, JOINED do
  local last = math.min(first + JOINED - 1, #pks)
  table.insert(joined_pks, table.concat(pks, '\0', first, last))
  if what == 'values' then
    local values = redis.call('HMGET', indexes .. ':values', unpack(pks, first, last))
    for i = 1, #values do
      values[i] = values[i] or 'null'
    end
    table.insert(joined_values, table.concat(values, ','))
  end
end
if what == 'documents' then
  return {'found', reached, order, joined_pks, documents_of(pks)}
end
return {'found', reached, order, joined_pks, joined_values}
