-- Applies operations, all or none. KEYS are their records; ARGV[1] is where in a document the
-- record is, ARGV[2] "ours" if nobody else has business at these keys, and four more follow for
-- each operation: "put", "delete" or "check"; what it expects, "*" for anything, "-" for no record,
-- or a version; the document; and the time to live in milliseconds, "keep" for the one that is
-- left, "" for none.
--
-- What somebody put in a record's place counts as a record of no version. If the keys are ours, a
-- delete alone removes it, whatever its type; a put replaces documents only.
--
-- Returns "written" and a digit for each operation, 1 where there was a record; or "unexpected"
-- and the number of the first operation that did not find what it expected.

local path = ARGV[1]
local ours = ARGV[2] == 'ours'

local there = {}
for number, key in ipairs(KEYS) do
    local kind = redis.call('TYPE', key)['ok']
    local expected = ARGV[4 * number]
    local met = true
    if kind ~= 'none' and kind ~= 'ReJSON-RL' then
        -- Other types could not be put back if another operation failed.
        local alone = #KEYS == 1 and ARGV[4 * number - 1] == 'delete' and expected == '*'
        if not (ours and alone) then
            return redis.error_reply('WRONGTYPE the key of a record holds something else')
        end
        there[number] = '1'
    elseif kind == 'none' or not has(key, path) then
        if kind == 'none' and ARGV[4 * number - 1] ~= 'put' then
            redis.call('JSON.TYPE', key) -- a server without RedisJSON says so
        end
        -- Entries without a record are what is left of one: see own_upkeep.
        local damaged = ours and kind ~= 'none' and not has(key, '.entries')
        there[number] = damaged and '1' or '0'
        met = expected == '*' or (expected == '-' and not damaged)
    else
        there[number] = '1'
        if expected ~= '*' then
            local record = expected ~= '-' and record_of(key, path)
            met = record and redis.sha1hex(record) == expected
        end
    end
    if not met then
        return {'unexpected', number}
    end
end

local before = {}

-- What failed may be a command that the user may not give: only those that did something are
-- answered by others, and a document can be deleted by whoever may write it.
local function undo()
    for key, saved in pairs(before) do
        if saved.text then
            redis.pcall('JSON.SET', key, '$', saved.text)
            local left = redis.pcall('PTTL', key)
            if saved.left > 0 and left ~= saved.left then
                redis.pcall('PEXPIRE', key, saved.left)
            elseif saved.left < 0 and left ~= saved.left then
                redis.pcall('PERSIST', key)
            end
        else
            redis.pcall('JSON.DEL', key)
        end
    end
end

local function change(key, ...)
    local reply = redis.pcall(...)
    if type(reply) == 'table' and reply['err'] then
        undo()
        return reply
    end
end

local function apply(key, operation, document, ttl)
    if operation == 'delete' then
        return change(key, 'DEL', key)
    end
    local failed = change(key, 'JSON.SET', key, '$', document)
    if failed or ttl == 'keep' then
        return failed
    end
    if ttl == '' then
        return change(key, 'PERSIST', key)
    end
    return change(key, 'PEXPIRE', key, ttl)
end

for number, key in ipairs(KEYS) do
    local operation = ARGV[4 * number - 1]
    if operation ~= 'check' then
        local ttl = ARGV[4 * number + 2]
        local left = redis.call('PTTL', key)
        if ttl == '' and left < 0 then
            ttl = 'keep' -- it has no time to live
        end
        local steps = (operation == 'put' and ttl ~= 'keep') and 2 or 1
        if #KEYS > 1 or steps > 1 then -- else there is one step, and nothing to undo
            before[key] = left == -2 and {} or {text = redis.call('JSON.GET', key), left = left}
        end
        local failed = apply(key, operation, ARGV[4 * number + 1], ttl)
        if failed then
            return failed
        end
    end
end
return {'written', table.concat(there)}
