-- Writes the indexed values and the entries of a record anew, if it is still of that version.
-- KEYS[1] is the record; ARGV: where in a document the record is, the version, the values, the
-- entries. Returns 1 if they were written.

local text = redis.pcall('JSON.GET', KEYS[1], ARGV[1])
if type(text) ~= 'string' then
    return 0
end
if string.byte(text) == 34 then
    text = cjson.decode('[' .. text .. ']')[1]
end
if redis.sha1hex(text) ~= ARGV[2] then
    return 0
end
redis.call('JSON.SET', KEYS[1], '$.values', ARGV[3])
redis.call('JSON.SET', KEYS[1], '$.entries', ARGV[4])
return 1
