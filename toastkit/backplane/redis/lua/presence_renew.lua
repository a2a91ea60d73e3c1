-- Begin leases anew. KEYS: leases, counts, infos. ARGV: ms that keys outlive their use, then
-- "connection member" and lease ms of each. Returns the places, from 1, of those not known.
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
local unknown, longest = {}, 0
for i = 2, #ARGV, 2 do
  if redis.call('ZSCORE', KEYS[1], ARGV[i]) then
    redis.call('ZADD', KEYS[1], now + ARGV[i + 1], ARGV[i])
    longest = math.max(longest, tonumber(ARGV[i + 1]))
  else
    unknown[#unknown + 1] = i / 2
  end
end
if longest > 0 then
  for i = 1, 3 do
    redis.call('PEXPIRE', KEYS[i], longest + ARGV[1])
  end
end
return unknown
