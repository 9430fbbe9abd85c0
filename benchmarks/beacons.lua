-- Beacons for wrk, the same visitors as in load.py: each looks at a few pages, a page view and some presences on each.
-- Arguments: the number of the round, events on a page, the pages as JSON, and the user agents.

local AT_ONCE = 2000 -- visitors that take turns, so that no two beacons of one are under way together
local visitors, turn, made = {}, 0, 0
local agents, pages, events = {}, {}, 0

function init(args)
  math.randomseed(os.time() * 1000 + tonumber(args[1]))
  events = tonumber(args[2])
  for page in args[3]:gmatch('"([^"]*)"') do pages[#pages + 1] = page end
  for index = 4, #args do
    agents[#agents + 1] = "POST /v1/beacon HTTP/1.1\r\nHost: 127.0.0.1\r\n" ..
      "Content-Type: text/plain;charset=UTF-8\r\nOrigin: https://shop.example\r\nUser-Agent: " ..
      args[index] .. "\r\nContent-Length: "
  end
end

local function new_visitor()
  made = made + 1
  local id = string.format("%010d%010d", math.random(0, 9999999999), math.random(0, 9999999999))
  return { id = id, agent = agents[made % #agents + 1], sent = 0 }
end

function request()
  turn = turn % AT_ONCE + 1
  local visitor = visitors[turn]
  if visitor == nil or visitor.sent == events * #pages then
    visitor = new_visitor()
    visitors[turn] = visitor
  end
  local page, number = math.floor(visitor.sent / events), visitor.sent % events
  visitor.sent = visitor.sent + 1
  local more = number == 0
    and '"e":"v","l":"en-US","y":0,"wd":0,"r":"https://www.google.com/"'
    or '"e":"p","z":"Europe/Berlin"'
  local body = string.format(
    '{"v":1,"k":"demo","s":"%s","t":"tab%05d","b":[{"n":%d,"o":0,"a":%d,"u":"%s","d":"Tea and cups","f":1,%s}]}',
    visitor.id, page, number + 1, number * 3, pages[page + 1], more)
  return visitor.agent .. #body .. "\r\n\r\n" .. body
end

function done(summary, latency, requests)
  io.write(string.format("counted=%d refused=%d microseconds=%d\n",
    summary.requests, summary.errors.status, summary.duration))
end
