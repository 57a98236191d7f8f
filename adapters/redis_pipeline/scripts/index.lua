-- Index records anew, each if it is still what was read.
--
-- KEYS: the base of a bucket. ARGV: the signature of the indexes; then for each record its pk,
-- the SHA-1 of what was read ('' for nothing), its indexed values ('' if it could not be read)
-- and its packed entries.
-- Returns {'outdated'}, or {'indexed', how many were still the same}.

local base = KEYS[1]
if not is_kept(base, ARGV[1]) then
  return {'outdated'}
end
local indexes = indexes_of(base, ARGV[1])
local same = 0
for at = 2, #ARGV, 4 do
  local pk, version, values, packed = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local content, is_other = content_of(base, pk)
  if is_other then
    redis.call('ZREM', indexes .. ':todo', pk)
  elseif not content and version == '' then
    forget(base, pk)
    same = same + 1
  elseif content and redis.sha1hex(content) == version then
    unindex(indexes, pk)
    if values ~= '' then
      index(indexes, pk, values, packed)
    end
    redis.call('ZREM', indexes .. ':todo', pk)
    same = same + 1
  end
end
return {'indexed', same}
