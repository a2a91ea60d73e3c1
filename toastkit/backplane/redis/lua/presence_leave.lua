-- Forget one connection. KEYS: leases, counts, infos, gone. ARGV: "connection member", member.
-- Returns 1 (its member's last), 0 (others are there, or it was reaped) or -1 (not known).
if redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then
  return redis.call('ZREM', KEYS[4], ARGV[1]) - 1
end
if redis.call('HINCRBY', KEYS[2], ARGV[2], -1) > 0 then
  return 0
end
redis.call('HDEL', KEYS[2], ARGV[2])
redis.call('HDEL', KEYS[3], ARGV[2])
return 1
