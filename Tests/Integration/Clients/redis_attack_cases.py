"""Attacks on a gateway before Redis, as bytes: what a reader may send who wants to see or change what no rule opens to him.

He may read, unmasked, streams, keys and channels `open:*` and streams named like keywords; masked, `masked:*`. He may write nothing and
nothing of `closed:*` is his. A case is a name and what is sent; where replies depend on what others do then, `during` says it."""
from dataclasses import dataclass, field
from typing import Callable

from redis_wire import encode

SECRET = b"MARKER-of-what-is-closed"
CARD = b"4111111111111111"
# A key that no attack names: who sees it was shown names.
HIDDEN = b"closed:hidden-name"
JSON = b'{"card":"' + CARD + b'","n":1}'


@dataclass
class Case:
    name: str
    sends: list                       # pieces of bytes, each sent when the one before was answered with silence
    protocol: int = 2
    authenticated: bool = True
    during: Callable | None = None    # with a connection to the server itself, once everything was sent
    refused: bool = False             # whether what comes back has to begin with an error, or the connection to end
    never: list = field(default_factory=list)    # what must not come back, beside the markers
    harmless: bool = False            # shows nothing on a server either: it is about what a gateway does with it


def words(*commands):
    """Commands as text, words between spaces, or as lists of words."""
    return b"".join(encode(*(command.split(" ") if isinstance(command, str) else command)) for command in commands)


def every(name, commands, **more):
    """A case of each command."""
    return [Case(f"{name}: {command if isinstance(command, str) else ' '.join(map(str, command))}"[:90], [words(command)], **more)
            for command in commands]


def publish(*messages):
    """What another client publishes meanwhile: channel and payload."""
    def act(server):
        for channel, payload in messages:
            server.ask("PUBLISH", channel, payload)
    return act


def add(*entries):
    def act(server):
        for stream, value in entries:
            server.ask("XADD", stream, "*", "card", value)
    return act


READ = words("XRANGE masked:s - +")
CLOSED = words("GET closed:k")

FRAMING = [
    *[Case(f"bytes behind a bulk: {junk!r}", [b"*1\r\n$4\r\nPING" + junk + words("GET closed:k")]) for junk in (b"xx", b"\n\n", b"*1", b"\r\r")],
    Case("bytes behind a bulk in an argument", [b"*2\r\n$3\r\nGET\r\n$6\r\nopen:kxx" + CLOSED]),
    Case("bytes behind the last bulk of a read", [b"*4\r\n$5\r\nXREAD\r\n$7\r\nSTREAMS\r\n$6\r\nopen:s\r\n$1\r\n0xx" + words("XREAD STREAMS closed:s 0")]),
    Case("empty and null arrays between reads", [b"*0\r\n*-1\r\n" + READ + b"*0\r\n" + words("GET open:k") + b"*-1\r\n" + READ]),
    Case("an empty line between reads", [b"\r\n\r\n" + READ + b"\r\n" + READ]),
    Case("lengths with signs and zeros", [b"*+2\r\n$03\r\nGET\r\n$+8\r\nclosed:k\r\n"], harmless=True),
    Case("a negative bulk", [b"*2\r\n$3\r\nGET\r\n$-1\r\n" + CLOSED], harmless=True),
    Case("a bulk of another kind", [b"*2\r\n+GET\r\n+closed:k\r\n" + CLOSED], harmless=True),
    Case("more arguments than are allowed", [b"*1048577\r\n"], harmless=True),
    Case("a count that overflows", [b"*99999999999999999999\r\n" + CLOSED], harmless=True),
    Case("a bulk longer than allowed", [b"*2\r\n$3\r\nGET\r\n$536870913\r\n"], harmless=True),
    Case("a length that overflows", [b"*2\r\n$3\r\nGET\r\n$18446744073709551617\r\n" + CLOSED], harmless=True),
    Case("a promise of much that never comes", [b"*3\r\n$3\r\nSET\r\n$8\r\nclosed:k\r\n$400000000\r\nxxx"], harmless=True),
    Case("a long inline command", [b"GET " + b"x" * 70_000 + b"\r\n" + CLOSED], harmless=True),
    Case("a long argument that is read", [words(["GET", b"open:" + b"x" * 1_000_000], "GET closed:k")]),
    Case("a name with an end of line", [words(["GET", b"open:k\r\n*2\r\n$3\r\nGET\r\n$8\r\nclosed:k\r\n"], "GET closed:k")]),
    Case("RESP3 types in a request", [b"%1\r\n$3\r\nGET\r\n$8\r\nclosed:k\r\n", CLOSED], protocol=3),
    Case("HTTP", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + CLOSED], harmless=True),
    Case("POST", [b"POST /closed:k HTTP/1.1\r\n\r\n" + CLOSED], harmless=True),
]

INLINE = [Case(f"inline {text!r}", [text], harmless=b"\0" in text) for text in (
    b"GET closed:k\r\n", b"GET closed:k\n", b"get   closed:k  \r\n", b"\"GET\" \"closed:k\"\r\n", b"GET \"closed\\x3ak\"\r\n", b"'GET' 'closed:k'\r\n",
    b"XREAD STREAMS closed:s 0\r\n", b"PING\r\nGET closed:k\r\n", b"XRANGE masked:s - +\r\n", b"\tGET closed:k\r\n", b"GET\tclosed:k\r\n",
    b"GET open:k\x00 closed:k\r\nGET closed:k\r\n", b"XREADGROUP GROUP g-1 STREAMS STREAMS closed:s >\r\n")]

READS = [
    *every("closed", [
        "GET closed:k", "get closed:k", "GeT closed:k", "MGET open:k closed:k", "GETRANGE closed:k 0 -1", "SUBSTR closed:k 0 -1", "HGETALL closed:h",
        "HVALS closed:h", "HMGET closed:h v", "HSCAN closed:h 0", "HRANDFIELD closed:h 1 WITHVALUES", "LRANGE closed:l 0 -1", "LINDEX closed:l 0",
        "LPOS closed:l x", "ZRANGE closed:z 0 -1", "ZSCAN closed:z 0", "SMEMBERS closed:set", "SSCAN closed:set 0", "SRANDMEMBER closed:set",
        "SUNION open:set closed:set", "SINTER closed:set closed:set", "SDIFF closed:set open:none", "ZUNION 2 open:z closed:z", "LCS open:k closed:k",
        "XRANGE closed:s - +", "XREVRANGE closed:s + -", "XREAD STREAMS closed:s 0", "XREAD STREAMS open:s closed:s 0 0",
        "XREAD STREAMS closed:s open:s 0 0", "XREAD COUNT 1 BLOCK 1 STREAMS open:s closed:s 0 0", "XREAD BLOCK 1 COUNT 1 STREAMS closed:s 0",
        "XREAD COUNT -1 STREAMS closed:s 0", "XREAD STREAMS open:s open:s closed:s 0 0 0", "XREAD STREAMS closed:s closed:s 0 0",
        "XINFO STREAM closed:s", "XINFO STREAM closed:s FULL", "XINFO STREAM closed:s FULL COUNT 0", "XINFO GROUPS closed:s",
        "XCLAIM closed:s g-1 me 0 1-0", "XAUTOCLAIM closed:s g-1 me 0 0", "XREADGROUP GROUP g-1 me STREAMS closed:s >",
        "XREADGROUP GROUP g-1 me STREAMS closed:s 0", "XREADGROUP GROUP g-1 owner STREAMS closed:s 0", "GETEX closed:k", "GETDEL closed:k",
        "SET closed:k x GET", "LPOP closed:l", "LMOVE closed:l open:l LEFT LEFT", "RPOPLPUSH closed:l open:l", "BLMOVE closed:l open:l LEFT LEFT 1",
        "BLPOP closed:l open:l 1", "LMPOP 1 closed:l LEFT", "BLMPOP 1 1 closed:l LEFT", "SPOP closed:set", "ZPOPMIN closed:z", "ZMPOP 1 closed:z MIN",
        "BZPOPMIN closed:z 1", "GEOSEARCH closed:geo FROMLONLAT 0 0 BYRADIUS 20000 km ASC", "BITFIELD closed:k GET u8 0", "HGETDEL closed:h FIELDS 1 v",
        "HGETEX closed:h FIELDS 1 v", "STRALGO LCS KEYS open:k closed:k",
    ], refused=True),
    *every("masked", [
        "GET masked:k", "MGET open:k masked:k", "GETRANGE masked:k 0 -1", "GETRANGE masked:k 9 40", "HGETALL masked:h", "HGET masked:h card", "HMGET masked:h n card",
        "HVALS masked:h", "HSCAN masked:h 0", "HRANDFIELD masked:h 2 WITHVALUES", "LRANGE masked:l 0 -1", "LINDEX masked:l 0", "ZRANGE masked:z 0 -1",
        "ZRANGE masked:z 0 -1 WITHSCORES", "ZREVRANGE masked:z 0 -1", "ZRANGEBYSCORE masked:z -inf +inf", "ZRANDMEMBER masked:z 1", "SMEMBERS masked:set",
        "SRANDMEMBER masked:set", "SSCAN masked:set 0", "ZSCAN masked:z 0", "SUNION masked:set open:none", "XRANGE masked:s - +", "XREVRANGE masked:s + -",
        "XREAD STREAMS masked:s 0", "XREAD STREAMS open:s masked:s 0 0", "XREAD STREAMS masked:s open:s 0 0", "XREAD STREAMS masked:s masked:s 0 0",
        "XREADGROUP GROUP g-1 me STREAMS masked:s >", "XREADGROUP GROUP g-1 owner STREAMS masked:s 0",
        "XREADGROUP GROUP g-1 me NOACK STREAMS open:s masked:s > >", "XCLAIM masked:s g-1 me 0 1-0", "XCLAIM masked:s g-1 me 0 1-0 FORCE",
        "XAUTOCLAIM masked:s g-1 me 0 0", "XINFO STREAM masked:s", "XINFO STREAM masked:s FULL", "LCS masked:k masked:k", "SUBSTR masked:k 0 -1", "LPOP masked:l",
        "SORT masked:l ALPHA", "SORT_RO masked:l ALPHA", "GETEX masked:k",
    ]),
    *every("of other keys", ["SORT open:names BY nosort GET masked:*", "SORT open:names BY nosort GET closed:*", "SORT_RO open:names BY nosort GET closed:*",
                             "DUMP masked:s", "DUMP masked:k", "DUMP open:k"], refused=True),
    Case("the last entry", [words("XREAD STREAMS masked:s +")], harmless=True),
    *[Case(f"masked, RESP3: {command}", [words(command)], protocol=3) for command in (
        "HGETALL masked:h", "XREAD STREAMS masked:s open:s masked:s 0 0 0", "XREADGROUP GROUP g-1 me STREAMS masked:s >", "XINFO STREAM masked:s FULL",
        "XAUTOCLAIM masked:s g-1 me 0 0", "SMEMBERS masked:set", "ZRANGE masked:z 0 -1 WITHSCORES", "XREAD STREAMS closed:s open:s 0 0")],
]

NAMES = [Case(f"a name that is a keyword: {command}", [words(command)], protocol=protocol) for protocol in (2, 3) for command in (
    "XREADGROUP GROUP STREAMS open:s STREAMS closed:s >", "XREADGROUP GROUP streams open:s STREAMS closed:s >",
    "XREADGROUP GROUP StReAmS STREAMS STREAMS closed:s >", "XREADGROUP GROUP g-1 STREAMS STREAMS closed:s >",
    "XREADGROUP GROUP g-1 streams NOACK STREAMS closed:s >", "XREADGROUP GROUP g-1 STREAMS COUNT 5 STREAMS closed:s >",
    "XREADGROUP GROUP STREAMS STREAMS STREAMS masked:s >", "XREADGROUP GROUP g-1 COUNT COUNT 1 STREAMS closed:s >",
    "XREADGROUP COUNT 1 GROUP g-1 GROUP STREAMS closed:s >", "XREADGROUP GROUP g-1 me GROUP g-1 STREAMS STREAMS closed:s >",
    "XREADGROUP GROUP g-1 me COUNT 1 COUNT 9 STREAMS closed:s >", "XREAD COUNT 1 COUNT 5 STREAMS closed:s 0", "XREAD BLOCK 1 BLOCK 1 STREAMS closed:s 0",
    "XREAD STREAMS STREAMS closed:s 0 0", "XREAD STREAMS open:s STREAMS closed:s 0 0 0", "XREADGROUP GROUP NOACK BLOCK NOACK STREAMS closed:s >",
    "XREAD streams COUNT closed:s 0 0")]

STATE = [
    *[Case(f"replies that are left out: {kind}", [words(*commands)]) for kind, commands in {
        "skip": ["CLIENT REPLY SKIP", "GET open:k", "XRANGE masked:s - +", "GET masked:k"],
        "off and on": ["CLIENT REPLY OFF", "GET open:k", "CLIENT REPLY ON", "XRANGE masked:s - +", "HGETALL masked:h"],
        "skip, skip": ["CLIENT REPLY SKIP", "CLIENT REPLY SKIP", "XRANGE masked:s - +", "GET masked:k", "GET open:k"],
        "in a transaction": ["MULTI", "CLIENT REPLY OFF", "XRANGE masked:s - +", "GET masked:k", "EXEC", "CLIENT REPLY ON", "GET masked:k"],
        "skip in a transaction": ["MULTI", "GET open:k", "CLIENT REPLY SKIP", "GET masked:k", "EXEC", "XRANGE masked:s - +"],
        "case": ["client reply off", "CLIENT reply ON", "GET masked:k"], "before a subscription": ["CLIENT REPLY SKIP", "SUBSCRIBE open:c", "GET masked:k"],
    }.items()],
    *[Case(f"a transaction: {kind}", [words(*commands)], protocol=protocol) for protocol in (2, 3) for kind, commands in {
        "closed": ["MULTI", "GET closed:k", "EXEC"], "one of two": ["MULTI", "GET open:k", "GET closed:k", "XREAD STREAMS closed:s 0", "EXEC"],
        "masked": ["MULTI", "GET masked:k", "XRANGE masked:s - +", "HGETALL masked:h", "XREAD STREAMS masked:s 0", "XINFO STREAM masked:s FULL", "EXEC"],
        "an error within": ["MULTI", "HGETALL masked:k", "GET masked:k", "LRANGE masked:s 0 -1", "XRANGE masked:s - +", "EXEC"],
        "subscribe within": ["MULTI", "SUBSCRIBE open:c open:d", "XRANGE masked:s - +", "EXEC", "XRANGE masked:s - +"],
        "unsubscribe within": ["MULTI", "UNSUBSCRIBE", "PUNSUBSCRIBE", "GET masked:k", "EXEC", "GET masked:k"],
        "hello within": ["MULTI", "HELLO 3", "XREAD STREAMS masked:s 0", "HGETALL masked:h", "HELLO 2", "HGETALL masked:h", "EXEC", "HGETALL masked:h"],
        "reset within": ["MULTI", "GET open:k", "RESET", "GET masked:k", "EXEC", "GET closed:k"], "select within": ["MULTI", "SELECT 5", "GET open:k", "EXEC", "GET open:k"],
        "multi within": ["MULTI", "MULTI", "GET masked:k", "EXEC", "GET masked:k", "EXEC"], "discard": ["MULTI", "GET open:k", "DISCARD", "GET masked:k"],
        "asking": ["ASKING", "MULTI", "GET closed:k", "GET masked:k", "EXEC"], "watch": ["WATCH closed:k", "MULTI", "GET masked:k", "EXEC"],
        "blocked within": ["MULTI", "XREAD BLOCK 0 STREAMS masked:s 0", "XREADGROUP GROUP g-1 me BLOCK 0 STREAMS masked:s >", "EXEC"],
        "quit within": ["MULTI", "GET masked:k", "QUIT", "EXEC", "GET closed:k"],
        "auth within": ["MULTI", "AUTH default x", "HELLO 3 AUTH default x", "GET masked:k", "EXEC"],
    }.items()],
    *[Case(f"versions change: {kind}", [words(*commands)]) for kind, commands in {
        "to 3 and back": ["HELLO 3", "HGETALL masked:h", "XREAD STREAMS masked:s 0", "HELLO 2", "HGETALL masked:h", "XREAD STREAMS masked:s 0"],
        "to none": ["HELLO 4", "HELLO 99999999999999999999", "HELLO 3 x", "XREAD STREAMS masked:s 0"], "setname": ["HELLO 3 SETNAME x", "XREAD STREAMS masked:s 0"],
    }.items()],
    Case("after a reset", [words("RESET", "GET closed:k", "GET masked:k", "GET open:k")], never=[b"OPEN-VALUE"], harmless=True),
    Case("after quit", [words("QUIT", "GET open:k", "GET closed:k")], never=[b"OPEN-VALUE"], harmless=True),
    Case("another log-in that fails", [words("AUTH default wrong", "AUTH wrong", "HELLO 3 AUTH default wrong", "GET closed:k")]),
    *[Case(f"another database: {kind}", [words(*commands)]) for kind, commands in {
        "select": ["SELECT 5", "GET open:k"], "select with zeros": ["SELECT 05", "GET open:k"], "swap": ["SWAPDB 0 5", "GET open:k"],
        "move": ["SELECT 5", "MOVE open:only 0", "SELECT 0", "GET open:only"], "pipelined": ["SELECT 1", "SELECT 5", "GET open:k", "SELECT 0", "GET masked:k"],
        "far": ["SELECT 99999", "SELECT -1", "SELECT x", "GET masked:k"], "copied": ["COPY open:k open:k2 DB 5", "GET open:k2"],
    }.items()],
]

CHANNELS = [
    *[Case(f"a channel, RESP{protocol}: {command}", [words(command)], protocol=protocol, during=publish(
        ("closed:c", SECRET), ("masked:c", JSON), ("open:c", "fine"))) for protocol in (2, 3) for command in (
        "SUBSCRIBE closed:c", "SUBSCRIBE open:c closed:c", "PSUBSCRIBE *", "PSUBSCRIBE closed:*", "PSUBSCRIBE [c]losed:c", "PSUBSCRIBE o* c*",
        "SUBSCRIBE masked:c", "PSUBSCRIBE masked:*", "PSUBSCRIBE ?asked:c")],
    *[Case(f"a channel, then reads, RESP{protocol}", [words("SUBSCRIBE open:c open:d", "PSUBSCRIBE open:*", "PING", "UNSUBSCRIBE open:c", "UNSUBSCRIBE", "PUNSUBSCRIBE",
                                                            "GET masked:k", "XRANGE masked:s - +")], protocol=protocol) for protocol in (2, 3)],
    Case("reads while subscribed", [words("SUBSCRIBE open:c", "GET closed:k", "XRANGE masked:s - +", "GET masked:k")], protocol=3,
         during=publish(("masked:c", JSON), ("open:c", "fine"))),
    Case("a queued subscription receives", [words("MULTI", "SUBSCRIBE closed:c", "SUBSCRIBE masked:c", "EXEC")], during=publish(("closed:c", SECRET), ("masked:c", JSON))),
    Case("a sharded channel", [words("SSUBSCRIBE closed:c")], during=lambda server: server.ask("SPUBLISH", "closed:c", SECRET)),
    Case("names of channels", [words("PUBSUB CHANNELS", "PUBSUB NUMSUB closed:c", "PUBSUB NUMPAT")], harmless=True),
    *every("keyspace", ["PSUBSCRIBE __key*__:*", "SUBSCRIBE __keyevent@0__:set", "SUBSCRIBE __keyspace@0__:closed:hidden-name", "PSUBSCRIBE *"],
           during=lambda server: (server.ask("CONFIG", "SET", "notify-keyspace-events", "KEA"), server.ask("SET", HIDDEN, SECRET))),
    Case("messages of invalidation", [words("CLIENT TRACKING ON BCAST")], protocol=3, during=lambda server: server.ask("SET", HIDDEN, SECRET)),
    Case("tracking with a prefix", [words("CLIENT TRACKING ON BCAST PREFIX closed: NOLOOP")], protocol=3, during=lambda server: server.ask("SET", HIDDEN, SECRET)),
    Case("writes of others while blocked", [words("XREAD BLOCK 2000 STREAMS closed:s $")], during=add(("closed:s", SECRET))),
    Case("writes of others while blocked, masked", [words("XREAD BLOCK 2000 STREAMS masked:s $")], during=add(("masked:s", CARD))),
    Case("writes of others while blocked, one masked", [words("XREAD BLOCK 2000 STREAMS open:s masked:s $ $", "GET masked:k")], during=add(("masked:s", CARD)),
         protocol=3),
    Case("writes of others while blocked in a group", [words("XREADGROUP GROUP g-1 me BLOCK 2000 STREAMS masked:s >", "XREADGROUP GROUP g-1 me BLOCK 2000 STREAMS masked:s >")],
         during=add(("masked:s", CARD))),
]

AROUND = [
    *every("around", [
        ["EVAL", "return redis.call('GET','closed:k')", 0], ["EVAL", "return redis.call('GET','masked:k')", 1, "open:k"],
        ["EVAL_RO", "return redis.call('XRANGE','closed:s','-','+')", 0], ["EVALSHA", "0" * 40, 0], ["SCRIPT", "LOAD", "return redis.call('GET','closed:k')"],
        ["FUNCTION", "LOAD", "#!lua name=x\nredis.register_function('f', function() return redis.call('GET','closed:k') end)"],
        ["FCALL", "f", 0], "RENAME closed:k open:k2", "RENAMENX closed:s open:s2", "RENAME masked:s open:s2", "COPY closed:k open:k2", "COPY masked:s open:s2",
        "DUMP closed:k", ["RESTORE", "open:k2", 0, b"x"], "SORT open:none BY nosort GET closed:k", "SUNIONSTORE open:set2 closed:set", "ZUNIONSTORE open:z2 1 closed:z",
        "ZRANGESTORE open:z2 closed:z 0 -1", "BITOP OR open:k2 closed:k", "PFMERGE open:p closed:k", "GEOSEARCHSTORE open:g closed:geo FROMLONLAT 0 0 BYRADIUS 1 km",
        "SORT closed:l STORE open:l2", "MIGRATE 127.0.0.1 1 closed:k 0 10", "OBJECT ENCODING closed:k", "OBJECT FREQ closed:k", "MEMORY USAGE closed:k",
        "DEBUG OBJECT closed:k", "DEBUG SLEEP 0", "SLOWLOG GET", "MONITOR", "SYNC", "PSYNC ? -1", "REPLCONF LISTENING-PORT 1", "REPLICAOF 127.0.0.1 1",
        "SLAVEOF NO ONE", "FAILOVER", "CLIENT KILL TYPE normal", "CLIENT PAUSE 10",
        "CLIENT MAINT_NOTIFICATIONS ON",
        "CLIENT MAINT_NOTIFICATIONS ON moving-endpoint-type external-ip", "client maint_notifications on", "CONFIG GET *", "CONFIG SET maxmemory-samples 7", "CONFIG REWRITE",
        "ACL LIST", "ACL GETUSER default", "ACL SETUSER eve on nopass ~* +@all", "ACL LOG",
        "MODULE LOAD /tmp/x.so", "SHUTDOWN NOSAVE", "FLUSHALL", "FLUSHDB", "BGSAVE", "SAVE", "BGREWRITEAOF",
        "CLUSTER GETKEYSINSLOT 0 10", "CLUSTER MEET 127.0.0.1 1",
        "PFDEBUG ENCODING closed:k", "PFSELFTEST", "RESTORE-ASKING open:k2 0 x", "SPUBLISH closed:c x", "TOUCH closed:k",
        "NONSENSE closed:k", ["", "x"], ["GET\x00", "closed:k"], ["GET ", "closed:k"], ["GET"], "GET closed:k closed:k", "XGET closed:k", "JSON.GET closed:k", "FT.SEARCH i *",
    ], refused=True, harmless=True),
    # Whether these are refused or answered with less is the gateway's to say: markers are what must not be seen.
    *every("asked", [
        "ROLE", "INFO replication", "INFO", "CLIENT LIST", "CLIENT INFO", "CLIENT UNBLOCK 1", "CLIENT NO-EVICT ON", "CLIENT GETREDIR",
        "CLIENT TRACKINGINFO", "CLIENT CACHING YES", "ACL WHOAMI", "COMMAND GETKEYS GET closed:k", "LASTSAVE", "KEYS *", "SCAN 0", "SCAN 0 COUNT 1000",
        "SCAN 0 TYPE stream", "RANDOMKEY", "DBSIZE", "CLUSTER NODES", "CLUSTER SLOTS", "SENTINEL MASTERS", "READONLY", "READWRITE",
        "ASKING", "WAIT 0 0", "WAITAOF 0 0 0", "LOLWUT", "LATENCY LATEST", "MODULE LIST",
    ], harmless=True),
    *every("written", [
        "SET closed:k x", "SET open:k x", "SET masked:k x", "DEL open:k", "UNLINK open:k", "DEL closed:k open:k", "EXPIRE open:k 1", "PERSIST open:k", "GETSET open:k x",
        "GETDEL open:k", "GETEX open:k EX 1", "APPEND open:k x", "SETRANGE open:k 0 x", "INCR open:n", "HSET open:h a b", "HSETNX open:h zz b", "RPUSH open:l x", "LPOP open:l",
        "LMOVE open:l open:l2 LEFT LEFT", "SADD open:set 9", "SPOP open:set", "ZADD open:z 1 x", "ZPOPMIN open:z", "BITFIELD open:k SET u8 0 1", "SETBIT open:k 0 1",
        "PFADD open:p a", "XADD open:s 99-0 card x", "XADD closed:s 99-0 card x", "XADD open:new 1-0 a b", "XDEL open:s 1-0", "XTRIM open:s MAXLEN 0", "XSETID open:s 77-0",
        "XGROUP CREATE open:s g-new 0", "XGROUP CREATE closed:s g-new 0", "XGROUP CREATE open:new2 g-1 0 MKSTREAM", "XGROUP DESTROY open:s g-1", "XGROUP DESTROY closed:s g-1",
        "XGROUP SETID closed:s g-1 0", "XGROUP DELCONSUMER closed:s g-1 owner", "XGROUP CREATECONSUMER closed:s g-1 eve", "XACK closed:s g-1 1-0",
        "XCLAIM closed:s g-1 eve 0 1-0 JUSTID", "XAUTOCLAIM closed:s g-1 eve 0 0 JUSTID", "XREADGROUP GROUP g-1 eve STREAMS closed:s >", "XREADGROUP GROUP private eve STREAMS closed:s >",
        "PUBLISH closed:c x", "PUBLISH open:c x", "SORT open:l ALPHA STORE open:l3", "SORT open:l ALPHA store open:l3", "GEOADD open:geo2 1 1 x", "GEORADIUS open:geo 0 0 1 km STORE open:g2",
        "SET open:k x GET", "XADD open:s MAXLEN 0 * a b", "MSET open:k x closed:k y", "MSETNX open:kk x closed:kk y", "HINCRBY open:h n 1", "COPY open:k open:k3", "RENAME open:k open:k3",
        "SUNIONSTORE open:set3 open:set", "HEXPIRE open:h 100 FIELDS 1 v", "XDELEX open:s IDS 1 1-0", "XACKDEL open:s g-1 IDS 1 1-0",
        "XREADGROUP GROUP private eve STREAMS open:s >", "XREADGROUP GROUP private owner STREAMS open:s 0", "XACK open:s private 1-0", "XGROUP DESTROY open:s private",
        "XCLAIM open:s private eve 0 1-0", "XAUTOCLAIM open:s private eve 0 0",
    ], refused=True),
]

UNKNOWN = [Case(f"without a log-in: {kind}", [data], authenticated=False, never=[b"OPEN-VALUE"]) for kind, data in {
    "get": words("GET open:k"), "read": words("XREAD STREAMS closed:s 0"), "inline": b"GET closed:k\r\n", "pipelined behind": words("AUTH wrong", "GET closed:k"),
    "hello": words("HELLO 3", "GET open:k"), "hello with a wrong one": words("HELLO 3 AUTH default wrong", "GET open:k"), "multi": words("MULTI", "GET closed:k", "EXEC"),
    "subscribe": words("SUBSCRIBE open:c"), "reset": words("RESET", "GET open:k"), "many arguments": words(["PING", *["x"] * 11], "GET open:k"),
    "a long argument": words(["PING", "x" * 20_000], "GET open:k"), "empty": words(["AUTH", "", ""], "GET open:k"), "default": words("AUTH default ", "GET open:k"),
    "nopass": words("AUTH default", "AUTH x y z", "GET open:k"), "client": words("CLIENT LIST", "CLIENT REPLY OFF", "GET open:k"), "select": words("SELECT 0", "GET open:k"),
}.items()]
for case in UNKNOWN:
    case.harmless = True
for case in STATE:
    # On a server the log-in is gone, the connection closed or nothing asked for, too.
    case.harmless |= case.name.endswith(("reset within", "quit within", "with zeros", "before a subscription"))

CASES = FRAMING + INLINE + READS + NAMES + STATE + CHANNELS + AROUND + UNKNOWN
