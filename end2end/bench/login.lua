-- wrk -s login.lua URL -- PASSWORD ACCOUNTS: logs in as one account of bench/fill.py after the other.
dofile(debug.getinfo(1, 'S').source:match('^@(.*/)') .. 'report.lua')

local number, password, accounts = 0, nil, nil

function init(args)
    password, accounts = args[1], tonumber(args[2])
end

function request()
    number = number % accounts + 1
    local body = string.format('username=load%d%%40example.org&password=%s', number, password)
    return wrk.format('POST', nil, { ['Content-Type'] = 'application/x-www-form-urlencoded' }, body)
end
