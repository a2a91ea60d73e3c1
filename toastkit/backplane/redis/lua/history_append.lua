-- Number an event, keep it, and tell it: in one step, so that numbers and news come in one order.
-- KEYS: stream, meta. ARGV: envelope, channel, size, keep ms, meta ms, fresh epoch, server's run.
-- Returns {seq, epoch}.
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
local epoch, run = unpack(redis.call('HMGET', KEYS[2], 'epoch', 'run'))
if not epoch or run ~= ARGV[7] then
  -- Lost, or come back from a snapshot that is older than what was told.
  epoch = ARGV[6]
  redis.call('DEL', KEYS[1], KEYS[2])
  redis.call('HSET', KEYS[2], 'epoch', epoch, 'run', ARGV[7])
end
local seq = redis.call('HINCRBY', KEYS[2], 'seq', 1)
local text = '{"seq":' .. seq .. ',"epoch":"' .. epoch .. '",' .. string.sub(ARGV[1], 2)
redis.call('XADD', KEYS[1], 'MAXLEN', '=', ARGV[3], seq .. '-0', 'u', now + ARGV[4], 'e', text)
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[4]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
redis.call('PEXPIRE', KEYS[2], ARGV[5])
redis.call('PUBLISH', ARGV[2], text)
return {seq, epoch}
