-- Reports in a form that programs can read, and varies the token:
--
--     wrk -s load.lua URL [-- TOKENS [NEW]]
--
-- TOKENS is a file with a token on each line; requests use them in turn, from a random one on. NEW is
-- a file with tokens that the server has not seen: every hundredth request uses the next of them.

local function requests_with(path)
    local requests = {}
    for token in io.lines(path) do
        requests[#requests + 1] = wrk.format(nil, nil, {
            Host = wrk.headers["Host"],
            ["Content-Type"] = wrk.headers["Content-Type"],
            Authorization = "Bearer " .. token,
        })
    end
    return requests
end

function init(arguments)
    if #arguments == 0 then
        -- Without a global `request`, wrk formats the request only once.
        return
    end
    local known, sent = requests_with(arguments[1]), 0
    -- Otherwise, a short load would use only the first of many tokens, which are in the cache.
    math.randomseed(os.time())
    local first = math.random(#known)
    local new = arguments[2] and requests_with(arguments[2])
    function request()
        sent = sent + 1
        if new and sent % 100 == 0 then
            -- An error would only stop this thread.
            local next = new[sent / 100]
            if next then return next end
            io.stderr:write("out of new tokens\n")
            os.exit(1)
        end
        return known[(first + sent) % #known + 1]
    end
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        "result %d %d %d %d %d\n",
        summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
        errors.connect + errors.read + errors.write + errors.status + errors.timeout
    ))
end
