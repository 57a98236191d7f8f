-- Writes the indexed values and the entries of a record anew, if it is still of that version.
-- KEYS[1] is the record; ARGV: where in a document the record is, the version, the values, the
-- entries. Returns 1 if they were written.

local record = record_of(KEYS[1], ARGV[1])
if not record or redis.sha1hex(record) ~= ARGV[2] then
    return 0
end
redis.call('JSON.SET', KEYS[1], '$.values', ARGV[3])
redis.call('JSON.SET', KEYS[1], '$.entries', ARGV[4])
return 1
