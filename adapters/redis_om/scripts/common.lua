-- What several scripts share. They come after this in one chunk, so everything here is local.

-- The JSON of the record in a document, as a reader gets it: a text there stands for its JSON.
local function record_of(key, path)
    local text = redis.pcall('JSON.GET', key, path)
    if type(text) ~= 'string' then
        return nil
    end
    if string.byte(text) == 34 then
        return cjson.decode('[' .. text .. ']')[1]
    end
    return text
end

-- Whether a document has something at `path`.
local function has(key, path)
    return type(redis.pcall('JSON.TYPE', key, path)) == 'string'
end
