-- Note one connection. KEYS: leases, counts, infos, gone. ARGV: "connection member", member, info,
-- lease ms, most members, most connections of one, ms that keys outlive their use.
-- Returns {connections of the member (0: refused), whether this one had been reaped}.
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
local count = tonumber(redis.call('HGET', KEYS[2], ARGV[2])) or 0
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  if count >= tonumber(ARGV[6]) then
    return {0, 0}
  end
  if count == 0 and redis.call('HLEN', KEYS[2]) >= tonumber(ARGV[5]) then
    return {0, 0}
  end
  count = redis.call('HINCRBY', KEYS[2], ARGV[2], 1)
end
redis.call('ZADD', KEYS[1], now + ARGV[4], ARGV[1])
redis.call('HSET', KEYS[3], ARGV[2], ARGV[3])
for i = 1, 3 do
  redis.call('PEXPIRE', KEYS[i], ARGV[4] + ARGV[7])
end
return {count, redis.call('ZREM', KEYS[4], ARGV[1])}
