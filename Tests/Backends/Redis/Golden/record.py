"""Asks a real Redis which keys commands name, and whether it understands them at all.

    python3 Tests/Backends/Redis/Golden/record.py PORT > Tests/Backends/Redis/Golden/commands.txt

The server is emptied: start a private one. Each line: `yes` or `no` (understood), the command's words, the keys that
COMMAND GETKEYS finds (empty where it finds none); parted by tabs, words by spaces. Commands are templates below, with
words put in, taken out and replaced from a seed. They run inside of MULTI, where nothing blocks.
"""
import random
import socket
import sys

TEMPLATES = """
XADD s * f v|XADD s NOMKSTREAM MAXLEN ~ 5 LIMIT 10 * f v|XADD s MINID = 5 9-1 f v g w|XADD s 7-* f v
XLEN s|XDEL s 1-1 2-2|XTRIM s MAXLEN ~ 5 LIMIT 3|XTRIM s MINID 5-1|XACK s g 1-1|XSETID s 99-1 ENTRIESADDED 5 MAXDELETEDID 1-1
XRANGE s - + COUNT 5|XRANGE s (1-1 9|XREVRANGE s + - COUNT 2|XREAD STREAMS s 0|XREAD COUNT 5 BLOCK 7 STREAMS s t 0 $
XREADGROUP GROUP g c STREAMS s >|XREADGROUP GROUP g c COUNT 2 BLOCK 5 NOACK STREAMS s t > 0-1
XREADGROUP GROUP STREAMS COUNT STREAMS s >|XREADGROUP NOACK GROUP BLOCK STREAMS STREAMS STREAMS >
XCLAIM s g c 0 1-1 2-2 IDLE 5 RETRYCOUNT 3 FORCE JUSTID|XCLAIM s g c 0 1-1 TIME 5 LASTID 3-3|XAUTOCLAIM s g c 0 0-0 COUNT 5 JUSTID
XPENDING s g|XPENDING s g IDLE 5 - + 10 c|XPENDING s g - + 10|XINFO STREAM s FULL COUNT 5|XINFO STREAM s|XINFO GROUPS s
XINFO CONSUMERS s g|XGROUP CREATE s g $ MKSTREAM ENTRIESREAD 5|XGROUP SETID s g 0 ENTRIESREAD 5|XGROUP DESTROY s g
XGROUP CREATECONSUMER s g c|XGROUP DELCONSUMER s g c
GET k|SET k v NX GET EX 5|SET k v XX KEEPTTL|SET k v PXAT 99999999999999|GETEX k EX 5|GETEX k PERSIST|GETDEL k|GETSET k v|MGET a b c
MSET a 1 b 2|MSETNX a 1 b 2|SETNX k v|SETEX k 5 v|PSETEX k 5 v|APPEND k v|SETRANGE k 0 v|STRLEN k|GETRANGE k 0 1|SUBSTR k 0 1
INCR n|DECRBY n 2|INCRBYFLOAT n 1|LCS a b LEN|LCS a b IDX MINMATCHLEN 2 WITHMATCHLEN|GETBIT k 1|SETBIT k 1 1|BITCOUNT k 0 1 BYTE
BITPOS k 1 0 1 BIT|BITFIELD k GET u8 0 SET u8 0 1 OVERFLOW SAT INCRBY u8 0 1|BITFIELD_RO k GET u8 0|PFADD p a b|PFCOUNT p q
DEL a b|UNLINK a b|EXISTS a b|TOUCH a b|TYPE k|TTL k|PTTL k|EXPIRETIME k|EXPIRE k 50 XX GT|PEXPIREAT k 99999999999999 NX|PERSIST k
MEMORY USAGE k SAMPLES 5|HGET h f|HMGET h f g|HGETALL h|HKEYS h|HVALS h|HRANDFIELD h 2 WITHVALUES|HSCAN h 0 MATCH a* COUNT 5
HLEN h|HEXISTS h f|HSTRLEN h f|HSET h f v g w|HMSET h f v|HSETNX h f v|HINCRBY h n 1|HDEL h f
LPUSH l a b|RPUSHX l a|LSET l 0 a|LINSERT l BEFORE a b|LREM l 0 a|LTRIM l 0 1|LRANGE l 0 1|LINDEX l 0|LLEN l|LPOS l a RANK 1 COUNT 2 MAXLEN 3
LPOP l 2|RPOP l|BLPOP l m 0|BRPOP l m 0.5|LMPOP 2 l m LEFT COUNT 2|BLMPOP 0 2 l m RIGHT COUNT 2|SADD e a b|SREM e a|SMEMBERS e|SCARD e
SISMEMBER e a|SMISMEMBER e a b|SRANDMEMBER e 2|SPOP e 2|SINTER e d|SUNION e d|SDIFF e d|SINTERCARD 2 e d LIMIT 3|SMOVE e d a
SSCAN e 0 MATCH a* COUNT 5|ZADD z NX CH 5 a 6 b|ZADD z GT INCR 5 a|ZINCRBY z 5 a|ZREM z a|ZREMRANGEBYRANK z 0 1|ZREMRANGEBYSCORE z 0 1
ZREMRANGEBYLEX z - +|ZCARD z|ZCOUNT z 0 1|ZLEXCOUNT z - +|ZSCORE z a|ZMSCORE z a b|ZRANK z a|ZRANGE z 0 9 BYSCORE REV LIMIT 0 5 WITHSCORES
ZRANGE z - + BYLEX LIMIT 0 5|ZREVRANGE z 0 1 WITHSCORES|ZRANGEBYSCORE z 0 1 WITHSCORES LIMIT 0 5|ZREVRANGEBYLEX z + - LIMIT 0 5
ZRANDMEMBER z 2 WITHSCORES|ZPOPMIN z 2|BZPOPMAX z y 0|ZMPOP 2 z y MIN COUNT 2|BZMPOP 0 2 z y MAX COUNT 2
ZUNION 2 z y WEIGHTS 1 2 AGGREGATE MAX WITHSCORES|ZINTER 2 z y AGGREGATE SUM|ZDIFF 2 z y WITHSCORES|ZINTERCARD 2 z y LIMIT 5
ZSCAN z 0 MATCH a* COUNT 5|GEOADD o NX CH 1 2 a 3 4 b|GEOPOS o a b|GEOHASH o a b|GEODIST o a b km
GEOSEARCH o FROMLONLAT 1 2 BYRADIUS 500 km ASC COUNT 5 ANY WITHCOORD WITHDIST WITHHASH|GEOSEARCH o FROMLONLAT 1 2 BYBOX 5 5 km DESC
GEORADIUS o 1 2 500 km WITHCOORD COUNT 5 ASC|GEORADIUS o 1 2 5 km STORE w|GEORADIUS_RO o 1 2 5 km|GEORADIUSBYMEMBER o a 5 km WITHDIST
"""
WORDS = """STREAMS COUNT BLOCK GROUP NOACK MAXLEN MINID LIMIT NOMKSTREAM JUSTID FORCE IDLE TIME RETRYCOUNT LASTID FULL MKSTREAM
ENTRIESREAD ENTRIESADDED EX PX GET NX XX GT LT CH INCR KEEPTTL PERSIST WEIGHTS AGGREGATE WITHSCORES BYSCORE BYLEX REV LEFT RIGHT
MIN MAX MATCH WITHVALUES STORE STOREDIST ANY ASC WITHDIST streams Count 0 1 2 5 -1 0-1 5-5 7-* - + ( (5-1 $ > * ~ = s k g c x
005 +5 1e3 99999999999999999999""".split()

THERE = "FLUSHALL|XADD s 3-3 f v|XADD t 3-3 f v|XGROUP CREATE s g 0|XGROUP CREATE t g 0|XGROUP CREATE s STREAMS 0|SET k v|HSET h f v g w|" \
    "RPUSH l a b|SADD e a b|ZADD z 5 a 6 b|GEOADD o 1 2 a 3 4 b"


class Server:
    def __init__(self, port):
        self.file = socket.create_connection(("127.0.0.1", port)).makefile("rwb")

    def ask(self, words):
        self.file.write(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w.encode()) for w in words))
        self.file.flush()
        return self.reply()

    def reply(self):
        line = self.file.readline()
        mark, text = line[:1], line[1:-2].decode()
        if mark == b"$":
            return None if text == "-1" else self.file.read(int(text) + 2)[:-2].decode("latin-1")
        if mark == b"*":
            return None if text == "-1" else [self.reply() for _ in range(int(text))]
        return Exception(text) if mark == b"-" else text


def is_understood(server, words):
    for line in THERE.split("|"):
        server.ask(line.split())
    server.ask(["MULTI"])
    queued = server.ask(words)
    if isinstance(queued, Exception):
        server.ask(["DISCARD"])
        return False
    answer = server.ask(["EXEC"])[0]
    # NOGROUP comes before anything else is read.
    return not isinstance(answer, Exception) or not str(answer).startswith(("ERR", "NOGROUP"))


def changed(words, chance):
    words = list(words)
    for _ in range(chance.choice([0, 1, 1, 1, 2, 2, 3])):
        at = chance.randrange(1, len(words) + 1)
        kind = chance.randrange(4)
        if kind == 0:
            words.insert(at, chance.choice(WORDS))
        elif kind == 1 and at < len(words):
            words[at] = chance.choice(WORDS)
        elif kind == 2 and at < len(words):
            del words[at]
        elif at < len(words):
            other = chance.randrange(1, len(words))
            words[at], words[other] = words[other], words[at]
    return words


def main():
    server = Server(int(sys.argv[1]))
    chance = random.Random(7)
    seen = set()
    for template in TEMPLATES.strip().replace("\n", "|").split("|"):
        rounds = 60 if template.startswith("X") else 12
        for number in range(rounds):
            words = template.split() if number == 0 else changed(template.split(), chance)
            if tuple(words) in seen:
                continue
            seen.add(tuple(words))
            keys = server.ask(["COMMAND", "GETKEYS"] + words)
            found = [] if isinstance(keys, Exception) else keys
            print("yes" if is_understood(server, words) else "no", " ".join(words), " ".join(found), sep="\t")


main()
