"""What redis-py is asked, step by step, by its own methods: the same steps serve the client that blocks and that of asyncio.

A step is a label and a function of the client; the labels stand in the transcript. Ids are given, so that replies repeat."""


def key(name):
    return "clients:" + name


ORDERS, OTHER, PLAIN = key("orders"), key("other"), key("plain")
GROUP, CAP = "g-one", key("capped")


def plainly(rows):
    """XPENDING's rows without the age of each."""
    return [{**row, "time_since_delivered": "TIME"} for row in rows]


WRITES = [
    ("ping", lambda r: r.ping()),
    ("xadd", lambda r: r.xadd(ORDERS, {"n": "1", "card": "4111111111111111"}, id="1-1")),
    ("xadd same id", lambda r: r.xadd(ORDERS, {"n": "1"}, id="1-1")),
    ("xadd zero", lambda r: r.xadd(ORDERS, {"n": "1"}, id="0-0")),
    ("xadd sequence", lambda r: r.xadd(ORDERS, {"n": "2", "data": b"\x00\xff\r\n"}, id="1-*")),
    *[(f"xadd {n}", lambda r, n=n: r.xadd(ORDERS, {"n": n, "note": "x" * n}, id=f"{n}-0")) for n in range(2, 12)],
    ("xadd nomkstream", lambda r: r.xadd(key("absent"), {"n": "1"}, nomkstream=True)),
    *[(f"xadd capped {n}", lambda r, n=n: r.xadd(CAP, {"n": n}, id=f"{n}-0", maxlen=4, approximate=False))
      for n in range(1, 8)],
    ("xadd minid", lambda r: r.xadd(CAP, {"n": 8}, id="8-0", minid="6-0", approximate=False)),
    ("xadd approximately, with a limit", lambda r: r.xadd(CAP, {"n": 9}, id="9-0", maxlen=1000, limit=10)),
    ("xadd limit that is not allowed", lambda r: r.execute_command("XADD", CAP, "MAXLEN", "=", 3, "LIMIT", 5, "*", "a", "b")),
    ("xadd both ways", lambda r: r.execute_command("XADD", CAP, "MAXLEN", 3, "MINID", 5, "*", "a", "b")),
    ("xadd half a field", lambda r: r.execute_command("XADD", CAP, "10-0", "a")),
    ("xlen", lambda r: r.xlen(ORDERS)),
    ("xlen of nothing", lambda r: r.xlen(key("absent"))),
    ("xadd other", lambda r: r.xadd(OTHER, {"o": "1"}, id="1-0")),
    ("set", lambda r: r.set(PLAIN, "text")),
    ("wrong type", lambda r: r.xadd(PLAIN, {"n": 1}, id="1-0")),
    ("wrong type read", lambda r: r.xrange(PLAIN)),
]

READS = [
    ("xrange", lambda r: r.xrange(ORDERS)),
    ("xrange exclusive", lambda r: r.xrange(ORDERS, min="(2-0", max="(5-0")),
    ("xrange count", lambda r: r.xrange(ORDERS, min="2", max="+", count=2)),
    ("xrange count 0", lambda r: r.execute_command("XRANGE", ORDERS, "-", "+", "COUNT", 0)),
    ("xrange nothing", lambda r: r.xrange(ORDERS, min="900", max="901")),
    ("xrange bad id", lambda r: r.xrange(ORDERS, min="x")),
    ("xrevrange", lambda r: r.xrevrange(ORDERS, count=3)),
    ("xrevrange exclusive", lambda r: r.xrevrange(ORDERS, max="(5-0", min="(2-0")),
    ("xread", lambda r: r.xread({ORDERS: "0"}, count=2)),
    ("xread several", lambda r: r.xread({ORDERS: "9-0", OTHER: "0"})),
    ("xread one of two", lambda r: r.xread({ORDERS: "11-0", OTHER: "0"}, count=10)),
    ("xread nothing", lambda r: r.xread({ORDERS: "11-0"})),
    ("xread new", lambda r: r.xread({ORDERS: "$"})),
    ("xread block until nothing", lambda r: r.xread({ORDERS: "$", OTHER: "$"}, block=30)),
    ("xread block with something", lambda r: r.xread({ORDERS: "10-0"}, block=2000, count=1)),
    ("xread bad", lambda r: r.execute_command("XREAD", "STREAMS", ORDERS)),
    ("xread syntax", lambda r: r.execute_command("XREAD", "COUNT", "many", "STREAMS", ORDERS, "0")),
    ("xread case", lambda r: r.execute_command("xReAd", "cOuNt", 1, "streams", ORDERS, "0")),
]

GROUPS = [
    ("xreadgroup no group", lambda r: r.xreadgroup(GROUP, "c1", {ORDERS: ">"})),
    ("xgroup create", lambda r: r.xgroup_create(ORDERS, GROUP, id="0")),
    ("xgroup create again", lambda r: r.xgroup_create(ORDERS, GROUP, id="0")),
    ("xgroup create absent", lambda r: r.xgroup_create(key("absent"), GROUP, id="0")),
    ("xgroup create mkstream", lambda r: r.xgroup_create(key("made"), GROUP, id="$", mkstream=True)),
    ("xgroup create entries", lambda r: r.xgroup_create(OTHER, GROUP, id="0", entries_read=0)),
    ("xgroup createconsumer", lambda r: r.xgroup_createconsumer(ORDERS, GROUP, "c0")),
    ("xreadgroup", lambda r: r.xreadgroup(GROUP, "c1", {ORDERS: ">"}, count=3)),
    ("xreadgroup several", lambda r: r.xreadgroup(GROUP, "c2", {ORDERS: ">", OTHER: ">"}, count=2)),
    ("xreadgroup history", lambda r: r.xreadgroup(GROUP, "c1", {ORDERS: "0"})),
    ("xreadgroup history of nothing", lambda r: r.xreadgroup(GROUP, "c0", {ORDERS: "0"})),
    ("xreadgroup noack", lambda r: r.xreadgroup(GROUP, "c3", {ORDERS: ">"}, count=2, noack=True)),
    ("xreadgroup block", lambda r: r.xreadgroup(GROUP, "c2", {key("made"): ">"}, block=30)),
    ("xack", lambda r: r.xack(ORDERS, GROUP, "1-1", "900-0")),
    ("xdel pending", lambda r: r.xdel(ORDERS, "1-2")),
    ("xreadgroup history of a deleted", lambda r: r.xreadgroup(GROUP, "c1", {ORDERS: "0"})),
    ("xpending", lambda r: r.xpending(ORDERS, GROUP)),
    ("xpending range", lambda r: r.xpending_range(ORDERS, GROUP, "-", "+", 10), plainly),
    ("xpending consumer", lambda r: r.xpending_range(ORDERS, GROUP, "-", "+", 10, consumername="c2"), plainly),
    ("xpending idle", lambda r: r.xpending_range(ORDERS, GROUP, "-", "+", 10, idle=10**9), plainly),
    ("xpending of nothing", lambda r: r.xpending(key("made"), GROUP)),
    ("xclaim", lambda r: r.xclaim(ORDERS, GROUP, "c4", 0, ["2-0", "3-0"])),
    ("xclaim justid", lambda r: r.xclaim(ORDERS, GROUP, "c4", 0, ["2-0"], justid=True)),
    ("xclaim force", lambda r: r.xclaim(ORDERS, GROUP, "c4", 0, ["11-0"], force=True, retrycount=7, idle=1000)),
    ("xautoclaim", lambda r: r.xautoclaim(ORDERS, GROUP, "c5", 0, start_id="0", count=2)),
    ("xautoclaim justid", lambda r: r.xautoclaim(ORDERS, GROUP, "c5", 0, start_id="0", justid=True)),
    ("xinfo stream", lambda r: r.xinfo_stream(ORDERS)),
    ("xinfo stream full", lambda r: r.execute_command("XINFO", "STREAM", ORDERS, "FULL", "COUNT", 3)),
    ("xinfo stream, full by its method", lambda r: r.xinfo_stream(OTHER, full=True)),
    ("xinfo groups", lambda r: r.xinfo_groups(ORDERS)),
    ("xinfo consumers", lambda r: r.xinfo_consumers(ORDERS, GROUP)),
    ("xinfo of nothing", lambda r: r.xinfo_stream(key("absent"))),
    ("xgroup setid", lambda r: r.xgroup_setid(ORDERS, GROUP, "5-0")),
    ("xgroup delconsumer", lambda r: r.xgroup_delconsumer(ORDERS, GROUP, "c4")),
    ("xgroup destroy", lambda r: r.xgroup_destroy(OTHER, GROUP)),
    ("xgroup destroy again", lambda r: r.xgroup_destroy(OTHER, GROUP)),
    ("xdel", lambda r: r.xdel(ORDERS, "4-0", "900-0")),
    ("xtrim", lambda r: r.xtrim(ORDERS, maxlen=5, approximate=False)),
    ("xtrim minid", lambda r: r.xtrim(ORDERS, minid="9-0", approximate=False)),
    ("xsetid", lambda r: r.execute_command("XSETID", ORDERS, "20-0", "ENTRIESADDED", 100, "MAXDELETEDID", "8-0")),
    ("xsetid back", lambda r: r.execute_command("XSETID", ORDERS, "1-0")),
    ("xinfo stream at last", lambda r: r.xinfo_stream(ORDERS)),
]

KEYS = [
    ("get", lambda r: r.get(PLAIN)),
    ("get nothing", lambda r: r.get(key("absent"))),
    ("set get", lambda r: r.set(PLAIN, b"\x00\r\n*1\r\n", get=True)),
    ("getrange", lambda r: r.getrange(PLAIN, 0, 2)),
    ("strlen", lambda r: r.strlen(PLAIN)),
    ("mset", lambda r: r.mset({key("m1"): "1", key("m2"): "2"})),
    ("mget", lambda r: r.mget(key("m1"), key("absent"), key("m2"))),
    ("incrbyfloat", lambda r: r.incrbyfloat(key("m1"), "0.5")),
    ("incr text", lambda r: r.incr(PLAIN)),
    ("hset", lambda r: r.hset(key("h"), mapping={"card": "4111111111111111", "n": "1"})),
    ("hgetall", lambda r: r.hgetall(key("h"))),
    ("hget", lambda r: r.hget(key("h"), "n")),
    ("hmget", lambda r: r.hmget(key("h"), "n", "none")),
    ("hgetall nothing", lambda r: r.hgetall(key("absent"))),
    ("rpush", lambda r: r.rpush(key("l"), "a", "b", "c")),
    ("lrange", lambda r: r.lrange(key("l"), 0, -1)),
    ("lpop", lambda r: r.lpop(key("l"))),
    ("lpop nothing", lambda r: r.lpop(key("absent"))),
    ("zadd", lambda r: r.zadd(key("z"), {"a": 1, "b": 2.5, "c": float("inf")})),
    ("zrange", lambda r: r.zrange(key("z"), 0, -1, withscores=True)),
    ("zscore", lambda r: r.zscore(key("z"), "b")),
    ("sadd", lambda r: r.sadd(key("s"), 3, 1, 2)),
    ("smembers", lambda r: r.smembers(key("s"))),
    ("sismember", lambda r: r.sismember(key("s"), 2)),
    ("type", lambda r: r.type(ORDERS)),
    ("exists", lambda r: r.exists(ORDERS, key("absent"))),
    ("expire", lambda r: r.expire(key("m1"), 1000)),
    ("persist", lambda r: r.persist(key("m1"))),
    ("ttl", lambda r: r.ttl(key("m1"))),
    ("wrong type get", lambda r: r.get(key("h"))),
    ("arity", lambda r: r.execute_command("GET")),
]

PIPELINES = [
    ("pipeline", lambda r: r.pipeline(transaction=False).set(key("p"), 1).incr(key("p")).xlen(ORDERS)
     .xrange(ORDERS, count=1).get(key("absent")).xread({ORDERS: "0"}, count=1).execute()),
    ("pipeline with an error", lambda r: r.pipeline(transaction=False).set(key("p"), 1).lpush(key("p"), 2).get(key("p"))
     .execute(raise_on_error=False)),
    ("transaction", lambda r: r.pipeline().xadd(OTHER, {"o": "2"}, id="2-0").xrange(OTHER).xread({OTHER: "0"}, count=1)
     .xinfo_stream(OTHER).hgetall(key("h")).execute()),
    ("transaction with an error", lambda r: r.pipeline().set(key("p"), "x").incr(key("p")).get(key("p"))
     .execute(raise_on_error=False)),
    ("transaction that is not queued", lambda r: r.pipeline().set(key("p"), 1).execute_command("GET").execute()),
    ("exec alone", lambda r: r.execute_command("EXEC")),
    ("discard alone", lambda r: r.execute_command("DISCARD")),
]

# A blocked read is answered by what another connection writes; from an id, so that it does not matter who is first.
BLOCKED = ("xread blocked", lambda r: r.xread({key("blocked"): "0"}, block=5000))
WAKES = ("xadd wakes", lambda r: r.xadd(key("blocked"), {"n": "1"}, id="1-0"))

STEPS = WRITES + READS + GROUPS + KEYS + PIPELINES
__all__ = ["BLOCKED", "PLAIN", "STEPS", "WAKES", "key"]
