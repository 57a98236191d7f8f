-- How many records of a bucket have not expired. KEYS: its base.

local base = KEYS[1]
local now = string.format('%.0f', milliseconds())
return redis.call('ZCARD', base .. ':pks') - redis.call('ZCOUNT', base .. ':expiry', '-inf', '(' .. now)
