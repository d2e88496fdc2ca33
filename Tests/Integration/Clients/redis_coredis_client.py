"""coredis: a client of asyncio that speaks RESP3 only and sends the commands of many tasks on one connection."""
import asyncio
import warnings

import coredis
from coredis import PureToken
from redis_common import arguments, plain, say

warnings.simplefilter("ignore")


def key(name):
    return "clients:" + name


ORDERS, OTHER, PLAIN, GROUP = key("orders"), key("other"), key("plain"), "g-one"


def aged(rows):
    return [[row.identifier, row.consumer, row.delivered] for row in rows]


STEPS = [
    ("ping", lambda r: r.ping()),
    *[(f"xadd {n}", lambda r, n=n: r.xadd(ORDERS, {"n": str(n), "card": "4111111111111111"}, identifier=f"{n}-0"))
      for n in range(1, 12)],
    ("xadd same id", lambda r: r.xadd(ORDERS, {"n": "1"}, identifier="1-0")),
    ("xadd nomkstream", lambda r: r.xadd(key("absent"), {"n": "1"}, nomkstream=True)),
    ("xadd maxlen", lambda r: r.xadd(ORDERS, {"b": b"\x00\xff\r\n"}, identifier="12-0", trim_strategy=PureToken.MAXLEN,
                                     threshold=10, trim_operator=PureToken.EQUAL)),
    ("xadd minid", lambda r: r.xadd(ORDERS, {"n": "13"}, identifier="13-0", trim_strategy=PureToken.MINID, threshold="2-0",
                                    trim_operator=PureToken.APPROXIMATELY, limit=5)),
    ("xadd other", lambda r: r.xadd(OTHER, {"o": "1"}, identifier="1-0")),
    ("xlen", lambda r: r.xlen(ORDERS)),
    ("xrange", lambda r: r.xrange(ORDERS)),
    ("xrange exclusive", lambda r: r.xrange(ORDERS, "(4-0", "(7-0")),
    ("xrange count 0", lambda r: r.xrange(ORDERS, "-", "+", count=0)),
    ("xrevrange", lambda r: r.xrevrange(ORDERS, "+", "-", count=2)),
    ("xread", lambda r: r.xread({ORDERS: "0", OTHER: "0"}, count=2)),
    ("xread nothing", lambda r: r.xread({ORDERS: "$"})),
    ("xread block until nothing", lambda r: r.xread({ORDERS: "$"}, block=30)),
    ("xreadgroup no group", lambda r: r.xreadgroup(GROUP, "c1", {ORDERS: ">"})),
    ("xgroup create", lambda r: r.xgroup_create(ORDERS, GROUP, "0")),
    ("xgroup create again", lambda r: r.xgroup_create(ORDERS, GROUP, "0")),
    ("xgroup create other", lambda r: r.xgroup_create(OTHER, GROUP, "0", entriesread=0)),
    ("xgroup createconsumer", lambda r: r.xgroup_createconsumer(ORDERS, GROUP, "c0")),
    ("xreadgroup", lambda r: r.xreadgroup(GROUP, "c1", {ORDERS: ">", OTHER: ">"}, count=3)),
    ("xreadgroup history", lambda r: r.xreadgroup(GROUP, "c1", {ORDERS: "0"})),
    ("xreadgroup noack", lambda r: r.xreadgroup(GROUP, "c2", {ORDERS: ">"}, count=1, noack=True)),
    ("xack", lambda r: r.xack(ORDERS, GROUP, ["4-0"])),
    ("xdel", lambda r: r.xdel(ORDERS, ["5-0"])),
    ("xreadgroup history of a deleted", lambda r: r.xreadgroup(GROUP, "c1", {ORDERS: "0"})),
    ("xpending", lambda r: r.xpending(ORDERS, GROUP)),
    ("xpending range", lambda r: r.xpending(ORDERS, GROUP, "-", "+", 10), aged),
    ("xpending idle", lambda r: r.xpending(ORDERS, GROUP, "-", "+", 10, idle=10**9), aged),
    ("xclaim", lambda r: r.xclaim(ORDERS, GROUP, "c3", 0, ["6-0"])),
    ("xclaim justid", lambda r: r.xclaim(ORDERS, GROUP, "c3", 0, ["6-0"], justid=True)),
    ("xclaim force", lambda r: r.xclaim(ORDERS, GROUP, "c3", 0, ["9-0"], force=True, retrycount=3)),
    ("xautoclaim", lambda r: r.xautoclaim(ORDERS, GROUP, "c4", 0, "0", count=5)),
    ("xautoclaim justid", lambda r: r.xautoclaim(ORDERS, GROUP, "c4", 0, "0", justid=True)),
    ("xinfo stream", lambda r: r.xinfo_stream(ORDERS)),
    ("xinfo stream full", lambda r: r.xinfo_stream(ORDERS, full=True, count=3)),
    ("xinfo groups", lambda r: r.xinfo_groups(ORDERS)),
    ("xinfo consumers", lambda r: r.xinfo_consumers(ORDERS, GROUP)),
    ("xgroup setid", lambda r: r.xgroup_setid(ORDERS, GROUP, "5-0")),
    ("xgroup delconsumer", lambda r: r.xgroup_delconsumer(ORDERS, GROUP, "c4")),
    ("xgroup destroy", lambda r: r.xgroup_destroy(OTHER, GROUP)),
    ("xtrim", lambda r: r.xtrim(ORDERS, PureToken.MAXLEN, 3, trim_operator=PureToken.EQUAL)),
    ("set", lambda r: r.set(PLAIN, "text")),
    ("get", lambda r: r.get(PLAIN)),
    ("wrong type", lambda r: r.xlen(PLAIN)),
    ("incr text", lambda r: r.incr(PLAIN)),
    ("hset", lambda r: r.hset(key("h"), {"card": "4111111111111111", "n": "1"})),
    ("hgetall", lambda r: r.hgetall(key("h"))),
    ("rpush", lambda r: r.rpush(key("l"), ["a", "b"])),
    ("lrange", lambda r: r.lrange(key("l"), 0, -1)),
    ("zadd", lambda r: r.zadd(key("z"), {"a": 1.0, "b": 2.5})),
    ("zrange", lambda r: r.zrange(key("z"), 0, -1, withscores=True)),
    ("sadd", lambda r: r.sadd(key("s"), ["3", "1"])),
    ("smembers", lambda r: r.smembers(key("s"))),
    ("type", lambda r: r.type(ORDERS)),
]


async def pipelines(client):
    for is_transaction in False, True:
        async with client.pipeline(transaction=is_transaction, raise_on_error=False) as pipe:
            results = [pipe.set(key("p"), "1"), pipe.incr(key("p")), pipe.xrange(ORDERS, count=1), pipe.lpush(key("p"), ["x"]),
                       pipe.xread({ORDERS: "0"}, count=1), pipe.get(key("absent"))]
        found = []
        for result in results:
            try:
                found.append(await result)
            except Exception as failure:
                found.append(failure)
        say(f"pipeline, transaction {is_transaction}", plain(found))


async def channels(client):
    listener = client.pubsub(channels=[key("c1")], patterns=[key("p*")])
    async with listener:
        said, messages = set(), []
        for name in "c1", "p-one", "none":
            say("published", await client.publish(key(name), f"says {name}"))
        while len(messages) < 2:
            message = await listener.get_message(timeout=10)
            if message is None:
                break
            if "message" in message["type"]:
                messages.append(plain(message))
            else:
                said.add(message["type"])
        say("confirmed", sorted(said))
        say("messages", messages)


async def main(given):
    more = {"ssl": True, "ssl_ca_certs": given.ca} if given.ca else {}
    async with coredis.Redis(given.host, given.port, username=given.user, password=given.token, **more) as client:
        for step in STEPS:
            try:
                value = await step[1](client)
                say(step[0], plain(step[2](value) if len(step) > 2 else value))
            except Exception as failure:  # of its own decoders too: COUNT 0 is answered with nil, which they do not expect
                say(step[0], plain(failure))
        # Many tasks at once: the replies must come back to whom they belong.
        found = await asyncio.gather(*(client.xrange(ORDERS, count=1) if n % 3 else client.get(PLAIN) for n in range(100)))
        say("at once", plain(found))
        blocked, _ = await asyncio.gather(client.xread({key("blocked"): "0"}, block=5000),
                                          client.xadd(key("blocked"), {"n": "1"}, identifier="1-0"))
        say("blocked", plain(blocked))
        await pipelines(client)
        await channels(client)
        say("scan", plain(sorted([name async for name in client.scan_iter(match=key("*"))])))


if __name__ == "__main__":
    asyncio.run(main(arguments(__doc__)))
