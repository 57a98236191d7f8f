-- Deletes a document that holds no record. KEYS[1] is its key, ARGV[1] where the record would be.

if type(redis.pcall('JSON.GET', KEYS[1], ARGV[1])) == 'string' then
    return 0
end
return redis.call('DEL', KEYS[1])
