-- Forget connections whose lease has run out. KEYS: leases, counts, infos, gone. ARGV: most, ms in
-- which it is known that they were reaped. Returns {id and info of each member that has left,
-- when the next lease runs out ('': nobody is there)}.
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
local left = {}
for _, key in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])) do
  local member = string.sub(key, string.find(key, ' ', 1, true) + 1)
  redis.call('ZREM', KEYS[1], key)
  redis.call('ZADD', KEYS[4], now, key)
  if redis.call('HINCRBY', KEYS[2], member, -1) <= 0 then
    left[#left + 1] = member
    left[#left + 1] = redis.call('HGET', KEYS[3], member) or 'null'
    redis.call('HDEL', KEYS[2], member)
    redis.call('HDEL', KEYS[3], member)
  end
end
redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now - ARGV[2])
redis.call('PEXPIRE', KEYS[4], ARGV[2])
return {left, redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2] or ''}
