-- Deletes a document of entries without a record. KEYS[1] is its key, ARGV[1] where the record
-- would be.

local function has(path)
    return type(redis.pcall('JSON.TYPE', KEYS[1], path)) == 'string'
end

if has(ARGV[1]) or not has('.entries') then
    return 0
end
return redis.call('DEL', KEYS[1])
