-- Return where a route stands, and what came after a position or what is newest.
-- KEYS: stream, meta. ARGV: epoch and seq of the position ('' and '': newest), most, idle meta ms,
-- fresh epoch, server's run. Returns {epoch, seq, now, entries}.
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
local epoch, seq, run = unpack(redis.call('HMGET', KEYS[2], 'epoch', 'seq', 'run'))
local most = tonumber(ARGV[3])
if not epoch or run ~= ARGV[6] then
  -- A position is kept before the first event: what comes then is known to come after it.
  epoch, seq = ARGV[5], 0
  redis.call('DEL', KEYS[1], KEYS[2])
  redis.call('HSET', KEYS[2], 'epoch', epoch, 'run', ARGV[6], 'seq', 0)
end
seq = tonumber(seq)
if seq == 0 then
  redis.call('PEXPIRE', KEYS[2], ARGV[4])
end
local entries = {}
if ARGV[1] == '' then
  if most > 0 then
    entries = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', most)
  end
elseif ARGV[1] == epoch then
  entries = redis.call('XRANGE', KEYS[1], '(' .. ARGV[2], '+', 'COUNT', most)
end
return {epoch, seq, now, entries}
