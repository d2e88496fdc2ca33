"""What a real Redis answers to commands that read, in RESP2 and RESP3, with a tell-tale in every value.

    python3 Tests/Backends/Redis/Golden/record_replies.py PORT >> Tests/Backends/Redis/Golden/replies.txt

The server is emptied: start a private one. Each line: the server's version and protocol, the command's words, the
answer in hexadecimal; parted by tabs. Values (of strings, fields, elements, members, entries) hold the word `secret`;
names of keys and fields do not.
"""
import socket
import sys

THERE = """FLUSHALL|SET k secret-k|SET n 5|MSET a secret-a b secret-b|HSET h f secret-f g secret-g|RPUSH l secret-1 secret-2 secret-3
RPUSH m secret-4|SADD e secret-5 secret-6|SADD d secret-6 secret-7|ZADD z 1 secret-8 2 secret-9|ZADD y 2 secret-9 3 secret-10
GEOADD o 13.3 38.1 secret-p 15.1 37.5 secret-q|XADD s 1-1 f secret-11 g secret-12|XADD s 2-2 f secret-13|XADD s 3-3 f secret-14
XADD t 5-5 f secret-15|XGROUP CREATE s g 0|XGROUP CREATE t g 0|XREADGROUP GROUP g c STREAMS s >|XDEL s 2-2"""
COMMANDS = """GET k|GET none|MGET a none b|SET k secret-new GET|SET none secret-new GET|GETEX k EX 50|GETDEL k|GETSET k secret-new
STRLEN k|APPEND k x|INCR n|LCS a b|GETRANGE k 0 5|HGET h f|HGET h none|HMGET h g none f|HGETALL h|HGETALL none|HKEYS h|HVALS h|HLEN h
HSTRLEN h f|HRANDFIELD h|HRANDFIELD h 5|HRANDFIELD h 5 WITHVALUES|HRANDFIELD h -3 WITHVALUES|HSCAN h 0|HSCAN h 0 MATCH f COUNT 5|HSCAN none 0
HSCAN h 0 NOVALUES|HTTL h FIELDS 1 f|HEXPIRE h 50 FIELDS 1 f|HGETDEL h FIELDS 2 f g|HGETEX h EX 50 FIELDS 2 g none
LRANGE l 0 -1|LRANGE none 0 1|LINDEX l 0|LINDEX l 9|LLEN l|LPOP l|LPOP l 2|RPOP l 9|LPOP none 2|BLPOP none l 1|BRPOP l m 1|LMPOP 2 none l LEFT
LMPOP 2 l m RIGHT COUNT 5|BLMPOP 1 1 l LEFT COUNT 2|LPOS l secret-2|SMEMBERS e|SMEMBERS none|SRANDMEMBER e|SRANDMEMBER e 5|SPOP e|SPOP e 2
SUNION e d|SINTER e d|SDIFF e d|SSCAN e 0|SSCAN e 0 COUNT 5|ZRANGE z 0 -1|ZRANGE z 0 -1 WITHSCORES|ZRANGE z 0 9 BYSCORE LIMIT 0 5
ZREVRANGE z 0 -1 WITHSCORES|ZRANGEBYSCORE z 0 9 WITHSCORES|ZREVRANGEBYSCORE z 9 0|ZRANGEBYLEX z - +|ZRANDMEMBER z|ZRANDMEMBER z 5
ZRANDMEMBER z 5 WITHSCORES|ZPOPMIN z|ZPOPMAX z 5|ZPOPMIN none|BZPOPMIN none z 1|BZPOPMAX z 1|ZMPOP 2 none z MIN|ZMPOP 1 z MAX COUNT 5
BZMPOP 1 2 z y MIN COUNT 2|ZUNION 2 z y WITHSCORES|ZINTER 2 z y|ZDIFF 2 z y WITHSCORES|ZSCAN z 0|ZSCORE z secret-8|ZINCRBY z 1 secret-8
ZADD z INCR 1 secret-8|GEOPOS o secret-p|GEOHASH o secret-p|GEODIST o secret-p secret-q|GEOSEARCH o FROMLONLAT 15 37 BYRADIUS 900 km ASC
GEOSEARCH o FROMLONLAT 15 37 BYRADIUS 900 km ASC WITHCOORD WITHDIST WITHHASH|GEORADIUS o 15 37 900 km WITHDIST
XRANGE s - +|XRANGE s - + COUNT 1|XRANGE s - + COUNT 0|XRANGE none - +|XREVRANGE s + -|XREAD STREAMS s 0|XREAD STREAMS s t 0 0
XREAD STREAMS s s 0 1-1|XREAD STREAMS none 0|XREAD COUNT 1 BLOCK 1 STREAMS s $|XREAD STREAMS s t + +|XREADGROUP GROUP g c STREAMS s t 0 >
XREADGROUP GROUP g new NOACK STREAMS t s > >|XREADGROUP GROUP g c STREAMS s 0|XREADGROUP GROUP g new STREAMS s 0|XCLAIM s g d 0 1-1 2-2 3-3
XCLAIM s g d 0 1-1 JUSTID|XAUTOCLAIM s g d 0 0|XAUTOCLAIM s g d 0 - COUNT 1 JUSTID|XPENDING s g|XPENDING s g - + 10|XINFO STREAM s
XINFO STREAM t|XINFO STREAM s FULL|XINFO STREAM s FULL COUNT 1|XINFO GROUPS s|XINFO CONSUMERS s g|XLEN s|XACK s g 1-1|XDEL s 1-1
XADD s * f secret-new|XADD none NOMKSTREAM * f secret-new|XTRIM s MAXLEN 1|TYPE s|EXISTS s k|TTL k|DEL k s|EXPIRE k 50|PERSIST k
MEMORY USAGE k|KEYS *|SCAN 0|PUBSUB CHANNELS|PUBSUB NUMSUB a b|PUBLISH c secret-new"""


class Server:
    def __init__(self, port, protocol):
        self.file = socket.create_connection(("127.0.0.1", port)).makefile("rwb")
        self.ask(["HELLO", str(protocol)])

    def ask(self, words):
        self.file.write(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w.encode()) for w in words))
        self.file.flush()
        return self.reply()

    def reply(self):
        """The answer's bytes."""
        line = self.file.readline()
        mark, count = line[:1], line[1:-2]
        if mark in b"$=!" and count != b"-1":
            return line + self.file.read(int(count) + 2)
        if mark in b"*~>%" and count != b"-1":
            return line + b"".join(self.reply() for _ in range(int(count) * (2 if mark == b"%" else 1)))
        return line


def main():
    for protocol in (2, 3):
        server = Server(int(sys.argv[1]), protocol)
        information = server.ask(["INFO", "server"]).decode()
        version = information.split("redis_version:")[1].split("\r")[0]
        for command in COMMANDS.replace("\n", "|").split("|"):
            for line in THERE.replace("\n", "|").split("|"):
                server.ask(line.split())
            answer = server.ask(command.split())
            print(f"{version} RESP{protocol}", command, answer.hex(), sep="\t")


main()
