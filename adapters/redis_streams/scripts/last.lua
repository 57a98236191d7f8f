-- The id of the newest entry that there was. KEYS: the log.

return last_id(KEYS[1]) or '0-0'
