-- Deletes a document of entries without a record. KEYS[1] is its key, ARGV[1] where the record
-- would be.

if has(KEYS[1], ARGV[1]) or not has(KEYS[1], '.entries') then
    return 0
end
return redis.call('DEL', KEYS[1])
