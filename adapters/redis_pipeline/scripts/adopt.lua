-- Keep other indexes of a collection from now on: all of its records are to be indexed anew.
--
-- KEYS: the base of a bucket. ARGV: the signature of the indexes, their names with blanks between.

local base = KEYS[1]
if not outdated(base, ARGV[1]) then
  return
end
for name in string.gmatch(redis.call('HGET', base .. ':indexes', 'names') or '', '[^ ]+') do
  redis.call('UNLINK', base .. ':index:' .. name)
end
redis.call('UNLINK', base .. ':entries', base .. ':values', base .. ':todo')
if redis.call('EXISTS', base .. ':pks') == 1 then
  redis.call('ZUNIONSTORE', base .. ':todo', 1, base .. ':pks')
end
redis.call('HSET', base .. ':indexes', 'signature', ARGV[1], 'names', ARGV[2])
