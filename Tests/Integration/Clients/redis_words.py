"""A scenario in the words of the protocol, for clients that take words: redis-cli, and a socket read by hiredis.

A step is its words, and where a reply holds the age of something, how it is left out."""
from redis_common import without_idle


def key(name):
    return "clients:" + name


ORDERS, OTHER, PLAIN, HASH = key("orders"), key("other"), key("plain"), key("h")
GROUP = "g-one"


def words(text):
    return [part.strip("'") for part in text.format(s=ORDERS, o=OTHER, p=PLAIN, h=HASH, g=GROUP).split(" ")]


STEPS = [(words(line), None) for line in """\
PING
ECHO hello
XADD {s} 1-1 n 1 card 4111111111111111
XADD {s} 1-1 n 1
XADD {s} NOMKSTREAM MAXLEN ~ 1000 LIMIT 10 2-0 n 2
XADD {s} maxlen = 1000 3-* n 3 n again
XADD {s} MINID 1 4-0 '' empty
XADD {s} 5-0 n
XADD {o} 1-0 o 1
XLEN {s}
XRANGE {s} - +
XRANGE {s} (1-1 3 COUNT 1
XRANGE {s} - + COUNT 0
XRANGE {s} 90 91
XREVRANGE {s} + - COUNT 2
XREAD STREAMS {s} 0
XREAD COUNT 1 STREAMS {s} {o} 0 0
xread block 20 count 5 streams {s} $
XREAD STREAMS {s} {s} 3-0 0
XREAD STREAMS {s}
XREAD STREAMS {s} {o} 0
XREAD COUNT x STREAMS {s} 0
XREADGROUP GROUP {g} c1 STREAMS {s} >
XGROUP CREATE {s} {g} 0
XGROUP CREATE {s} {g} 0
XGROUP CREATE {o} STREAMS 0 ENTRIESREAD 0
XREADGROUP GROUP {g} c1 COUNT 2 STREAMS {s} >
XREADGROUP GROUP STREAMS streams STREAMS {o} >
XREADGROUP GROUP STREAMS COUNT COUNT 1 STREAMS {o} >
XREADGROUP GROUP {g} c2 NOACK COUNT 1 STREAMS {s} >
XREADGROUP GROUP {g} c1 STREAMS {s} 0
XREADGROUP GROUP {g} c9 STREAMS {s} 0
XDEL {s} 2-0
XREADGROUP GROUP {g} c1 STREAMS {s} 0
XACK {s} {g} 1-1 77-0
XPENDING {s} {g}
XCLAIM {s} {g} c3 0 2-0
XREADGROUP GROUP {g} c1 COUNT 1 STREAMS {s} >
XCLAIM {s} {g} c3 0 4-0
XCLAIM {s} {g} c3 0 4-0 JUSTID
XCLAIM {s} {g} c3 0 3-0 RETRYCOUNT 5 FORCE IDLE 10
XAUTOCLAIM {s} {g} c4 0 0 COUNT 1
XAUTOCLAIM {s} {g} c4 0 0 JUSTID
XINFO STREAM {s}
XINFO GROUPS {s}
XINFO STREAM {o}x
XGROUP CREATECONSUMER {s} {g} c8
XGROUP DELCONSUMER {s} {g} c8
XGROUP SETID {s} {g} 1-1
XGROUP DESTROY {o} STREAMS
XTRIM {s} MAXLEN 1
XSETID {s} 50-0
XSETID {s} 0-1
SET {p} text
GET {p}
APPEND {p} more
STRLEN {p}
GETRANGE {p} 1 3
LPUSH {p} 1
XADD {p} 1-0 a b
HSET {h} card 4111111111111111 n 1
HGETALL {h}
HMGET {h} n none
HGETALL {h}x
RPUSH {h}l a b c
LRANGE {h}l 0 -1
ZADD {h}z 1 a 2.5 b inf c
ZRANGE {h}z 0 -1 WITHSCORES
ZSCORE {h}z b
SADD {h}s 3 1 2
SMEMBERS {h}s
TYPE {s}
EXISTS {s} {p} nothing
DEL {h}l {h}nothing
TTL {p}
MULTI
XADD {s} 60-0 n 60
XREAD STREAMS {s} 0
XRANGE {s} - +
HGETALL {h}
INCR {p}
EXEC
MULTI
SET {p} discarded
DISCARD
MULTI
GET
GET {p}
EXEC
EXEC
WATCH {p}
UNWATCH
GET
SET {p} x nonsense""".split("\n")]
STEPS += [
    (["XPENDING", ORDERS, GROUP, "-", "+", "10"], without_idle),
    (["XPENDING", ORDERS, GROUP, "IDLE", "0", "-", "+", "10", "c1"], without_idle),
    (["XINFO", "CONSUMERS", ORDERS, GROUP], None),
    (["XINFO", "STREAM", ORDERS, "FULL", "COUNT", "2"], None),
]
