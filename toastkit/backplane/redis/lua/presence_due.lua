-- Claim routes on which a lease may have run out. KEYS: index of routes by time. ARGV: most, ms
-- in which nobody else looks at them. Returns the routes.
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
local routes = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
for _, route in ipairs(routes) do
  redis.call('ZADD', KEYS[1], now + ARGV[2], route)
end
return routes
