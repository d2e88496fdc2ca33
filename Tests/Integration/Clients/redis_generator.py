"""Random commands on streams and keys, from a seed: sensible ones, odd ones and wrong ones, whose replies do not depend on the clock.

A command is its bytes on the wire, its words, and the oddities that it has."""
import re
import random
from dataclasses import dataclass, field

from redis_wire import encode

STREAMS = [b"s1", b"s2", b"s3", b"STREAMS", b"GROUP", b"count", b"bin\x00\r\n\xff", b"s:\xc3\xa9", b"nothing"]
# Their last ids lie far in the future, so that an id of the clock becomes one of them: only added to, trimmed and read.
FUTURE = [b"future1", b"future2"]
KEYS = [b"k1", b"k2", b"k3", b"h1", b"h2", b"l1", b"l2", b"z1", b"z2", b"i1", b"i2", b"nokey"]
GROUPS = [b"g1", b"g2", b"STREAMS", b"streams", b"COUNT", b"NOACK", b"g\x00\r\n", b"", b"none"]
CONSUMERS = [b"c1", b"c2", b"STREAMS", b"StReAmS", b"count", b"BLOCK", b"GROUP", b"", b"\xff\r\n*1\r\n"]
KEYWORDS = {b"STREAMS", b"GROUP", b"COUNT", b"NOACK", b"BLOCK", b">", b"$", b"ID", b"*"}
BAD_IDS = [b"x", b"1-", b"-1", b"1-2-3", b"18446744073709551616", b"1-18446744073709551616", b"", b"0-0", b"(", b"((1", b"01-1",
           b"1 ", b"\x00"]
HUGE_IDS = [b"18446744073709551615-18446744073709551615", b"18446744073709551615", b"9223372036854775808-1"]
FIELDS = [b"n", b"card", b"email", b"", b"a\r\nb", b"\x00", b"note", b"STREAMS"]
VALUES = [b"1", b"4111111111111111", b"ada@example.com", b"", b"\r\n$3\r\n", b"x" * 70, b"\x00\xff", b'{"card":{"number":"4111111111111111"}}',
          b"y" * 20_000]
NUMBERS = [b"1", b"2", b"3", b"10", b"100"]
ODD_NUMBERS = [b"0", b"-1", b"x", b"", b"1.5", b"9223372036854775807", b"9223372036854775808", b"+1", b" 1", b"01"]


@dataclass
class Command:
    words: list
    oddities: set = field(default_factory=set)
    wire: bytes = b""

    def __post_init__(self):
        self.words = [word if isinstance(word, bytes) else str(word).encode() for word in self.words]
        self.wire = self.wire or encode(*self.words)


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)
        # The last id of each stream (milliseconds * 4 + sequence), and ids that may be there.
        self.last, self.known = {}, [b"1-1"]

    # MARK: words

    def chance(self, of):
        return self.random.random() < of

    def one(self, among):
        return self.random.choice(among)

    def cased(self, word):
        """A keyword in any case."""
        kind = self.random.randrange(4)
        text = [word.upper, word.lower, word.title, lambda: "".join(self.one([c.upper(), c.lower()]) for c in word)][kind]()
        return text.encode()

    def number(self):
        return self.one(ODD_NUMBERS if self.chance(0.12) else NUMBERS)

    def stream(self):
        return self.one(KEYS) if self.chance(0.04) else self.one(STREAMS[:3] if self.chance(0.6) else STREAMS)

    def id(self):
        if self.chance(0.06):
            return self.one(BAD_IDS)
        if self.chance(0.03):
            return self.one(HUGE_IDS)
        if self.chance(0.7):
            return self.one(self.known[-40:])
        return b"%d-%d" % (self.random.randrange(60), self.random.randrange(4)) if self.chance(0.6) else b"%d" % self.random.randrange(60)

    def rising(self, name):
        """An id behind the last one of the stream."""
        self.last[name] = self.last.get(name, 4) + self.random.randrange(1, 4)
        self.known.append(b"%d-%d" % divmod(self.last[name], 4))
        return self.known[-1]

    def bound(self):
        return self.one([b"-", b"+", self.id(), b"(" + self.id(), self.id()])

    def group(self):
        return self.one(GROUPS[:2] if self.chance(0.85) else GROUPS)

    def consumer(self):
        return self.one(CONSUMERS[:2] if self.chance(0.6) else CONSUMERS)

    def pairs(self):
        return [word for _ in range(self.random.randrange(1, 4)) for word in (self.one(FIELDS), self.one(VALUES))]

    def options(self, *choices):
        """Some of the options, each a list of words, in any order; now and then one twice."""
        chosen = [list(choice) for choice in choices if self.chance(0.35)]
        self.random.shuffle(chosen)
        repeated = bool(chosen) and self.chance(0.06)
        if repeated:
            chosen.append(list(self.one(chosen)))
        return [word for choice in chosen for word in choice], {"repeated"} if repeated else set()

    def named(self, *names):
        """Whether a group or a consumer is spelled like a keyword."""
        return {"keyword"} if any(name.upper() in KEYWORDS for name in names) else set()

    # MARK: commands

    def xadd(self):
        name = self.one(FUTURE) if self.chance(0.1) else self.stream()
        trims = [[self.cased("maxlen"), *self.one([[], [b"="], [b"~"]]), self.number()],
                 [self.cased("minid"), *self.one([[], [b"="], [b"~"]]), self.id()]]
        trim = self.one(trims)
        if trim[1:2] == [b"~"] and self.chance(0.5) or self.chance(0.03):
            trim += [self.cased("limit"), self.number()]
        words, odd = self.options(trim, [self.cased("nomkstream")])
        if self.chance(0.02):
            words += self.one(trims)
        if name in FUTURE:
            place = self.one([b"*", b"%d-*" % 9_999_999_999_999])
        elif self.chance(0.9):
            place = self.rising(name)
        else:
            # Huge ids end a stream: that one is for them.
            place = self.one([b"%d-*" % (self.last.get(name, 4) // 4), b"0-*", *BAD_IDS[:4], self.one(self.known)])
            place = self.one(HUGE_IDS) if name == b"nothing" else place
        pairs = self.pairs()
        return [b"XADD", name, *words, place, *(pairs[:-1] if self.chance(0.02) else pairs)], odd

    def xread(self):
        count = self.one([1, 1, 1, 2, 3])
        names = [self.one(FUTURE) if self.chance(0.05) else self.stream() for _ in range(count)]
        ids = [self.one([self.id(), b"0", b"$", b"0-0"]) for _ in range(count - self.chance(0.03))]
        words, odd = self.options([self.cased("count"), self.number()], [self.cased("block"), self.one([b"1", b"2", b"3", b"-1", b"x"])])
        return [b"XREAD", *words, self.cased("streams"), *names, *ids], odd

    def xreadgroup(self):
        count = self.one([1, 1, 1, 2, 3])
        names = [self.stream() for _ in range(count)]
        ids = [self.one([b">", b">", b">", b"0", self.id(), b"$"]) for _ in range(count - self.chance(0.03))]
        group, consumer = self.group(), self.consumer()
        parts = [[self.cased("group"), group, consumer]] if self.chance(0.98) else []
        repeated = bool(parts) and self.chance(0.03)
        if repeated:
            parts.append([self.cased("group"), self.group(), self.consumer()])
        if self.chance(0.4):
            parts.append([self.cased("count"), self.number()])
        if self.chance(0.2):
            parts.append([self.cased("block"), self.one([b"1", b"2"])])
        if self.chance(0.2):
            parts.append([self.cased("noack")])
            if self.chance(0.1):
                parts.append([self.cased("noack")])
                repeated = True
        self.random.shuffle(parts)
        words = [word for part in parts for word in part]
        odd = self.named(*(word for part in parts if part[0].upper() == b"GROUP" for word in part[1:]))
        return [b"XREADGROUP", *words, self.cased("streams"), *names, *ids], odd | ({"repeated"} if repeated else set())

    def xrange(self):
        words, odd = self.options([self.cased("count"), self.number()])
        return [self.one([b"XRANGE", b"XREVRANGE"]), self.one(FUTURE) if self.chance(0.1) else self.stream(), self.bound(), self.bound(),
                *words], odd

    def xack(self):
        group = self.group()
        return [b"XACK", self.stream(), group, *(self.id() for _ in range(self.random.randrange(1, 4)))], self.named(group)

    def xclaim(self):
        group, consumer = self.group(), self.consumer()
        words, odd = self.options([self.cased("idle"), b"5"], [self.cased("time"), b"1"], [self.cased("retrycount"), self.number()],
                                  [self.cased("force")], [self.cased("justid")], [self.cased("lastid"), self.id()])
        return [b"XCLAIM", self.stream(), group, consumer, self.one([b"0", b"0", b"0", b"99999999999", b"x"]),
                *(self.id() for _ in range(self.random.randrange(1, 5))), *words], odd | self.named(group, consumer)

    def xautoclaim(self):
        group, consumer = self.group(), self.consumer()
        words, odd = self.options([self.cased("count"), self.number()], [self.cased("justid")])
        return [b"XAUTOCLAIM", self.stream(), group, consumer, self.one([b"0", b"0", b"99999999999"]),
                self.one([b"0", b"-", self.id(), b"(" + self.id()]), *words], odd | self.named(group, consumer)

    def xpending(self):
        group = self.group()
        extended = [*([self.cased("idle"), self.one([b"0", b"99999999999", b"x"])] if self.chance(0.3) else []), self.bound(), self.bound(),
                    self.number(), *([self.consumer()] if self.chance(0.4) else [])]
        return [b"XPENDING", self.stream(), group, *(extended if self.chance(0.6) else [])], self.named(group, *extended[-1:])

    def xinfo(self):
        group = self.group()
        kind = self.random.randrange(4)
        words = [[b"STREAM", self.stream()],
                 [b"STREAM", self.stream(), self.cased("full"), *([self.cased("count"), self.number()] if self.chance(0.5) else [])],
                 [b"GROUPS", self.stream()], [b"CONSUMERS", self.stream(), group]][kind]
        return [b"XINFO", self.cased(words[0].decode()), *words[1:]], self.named(group) if kind == 3 else set()

    def xgroup(self):
        group, consumer, name = self.group(), self.consumer(), self.stream()
        create, odd = self.options([self.cased("mkstream")], [self.cased("entriesread"), self.number()])
        words = self.one([
            [b"CREATE", name, group, self.one([b"0", b"$", self.id()]), *create],
            [b"CREATE", name, group, self.one([b"0", b"$", self.id()]), *create],
            [b"SETID", name, group, self.one([b"0", b"$", self.id()])], [b"CREATECONSUMER", name, group, consumer],
            [b"DELCONSUMER", name, group, consumer], [b"DESTROY", name, group] if self.chance(0.2) else [b"CREATE", name, group, b"0"]])
        return [b"XGROUP", self.cased(words[0].decode()), *words[1:]], odd | self.named(group, *words[3:4])

    def xtrim(self):
        name = self.one(FUTURE) if self.chance(0.1) else self.stream()
        trim = self.one([[self.cased("maxlen"), *self.one([[], [b"="], [b"~"]]), self.number()],
                         [self.cased("minid"), *self.one([[], [b"="], [b"~"]]), self.id()]])
        return [b"XTRIM", name, *trim, *([self.cased("limit"), self.number()] if self.chance(0.1) else [])], set()

    def xdel(self):
        return [b"XDEL", self.stream(), *(self.id() for _ in range(self.random.randrange(1, 4)))], set()

    def xsetid(self):
        words, odd = self.options([self.cased("entriesadded"), self.number()], [self.cased("maxdeletedid"), self.id()])
        name = self.stream()
        return [b"XSETID", name, self.one([self.rising(name), self.rising(name), b"1-1", b"x"]), *words], odd

    def xlen(self):
        return [b"XLEN", self.stream()], set()

    def keys(self):
        key, value, number = self.one(KEYS), self.one(VALUES), self.number()
        return self.one([
            [b"GET", key], [b"SET", key, value], [b"SET", key, value, self.cased("nx")], [b"SET", key, value, self.cased("get")],
            [b"APPEND", key, value[:9]], [b"STRLEN", key], [b"GETRANGE", key, number, number], [b"INCR", key], [b"DEL", key, self.one(KEYS)],
            [b"EXISTS", key, key], [b"TYPE", key], [b"TTL", key], [b"MGET", key, self.one(KEYS), key], [b"MSET", key, value, key, value],
            [b"HSET", b"h1", self.one(FIELDS), value[:60]], [b"HGET", key, self.one(FIELDS)], [b"HGETALL", b"h1"], [b"HDEL", b"h1", self.one(FIELDS)],
            [b"HLEN", key], [b"HMGET", b"h1", b"n", b"card"], [b"HKEYS", b"h1"], [b"HVALS", b"h1"], [b"RPUSH", b"l1", value, value],
            [b"LPUSH", key, value], [b"LRANGE", b"l1", b"0", b"5"], [b"LPOP", b"l1"], [b"RPOP", b"l1", number], [b"LLEN", key],
            [b"LINDEX", b"l1", number], [b"LTRIM", b"l1", b"0", b"20"], [b"ZADD", b"z1", number, value[:20]], [b"ZRANGE", b"z1", b"0", b"-1"],
            [b"ZRANGE", b"z1", b"0", b"-1", self.cased("withscores")], [b"ZSCORE", b"z1", value[:20]], [b"ZCARD", key],
            [b"ZREM", b"z1", value[:20]], [b"SADD", b"i1", self.one(NUMBERS)], [b"SMEMBERS", b"i1"], [b"SREM", b"i1", number],
            [b"SISMEMBER", b"i1", number], [b"SCARD", key], [b"PING"], [b"ECHO", value], [b"PING", value],
        ]), set()

    def wrong(self):
        """Too few words, too many, or a word that is not known."""
        words, _ = self.one([self.xadd, self.xread, self.xreadgroup, self.xrange, self.xack, self.xclaim, self.xinfo, self.xgroup,
                             self.xpending, self.xtrim])()
        kind = self.random.randrange(3)
        if kind == 0:
            words = words[:self.random.randrange(1, len(words))]
        elif kind == 1:
            words.insert(self.random.randrange(2, len(words) + 1), self.one([b"NONSENSE", b"", b"COUNT", b"JUSTID", b"\x00"]))
        else:
            words[self.random.randrange(1, len(words))] = self.one([b"", b"STREAMS", b"*", b"-", b"MAXLEN"])
        if words[0].upper() in (b"XREAD", b"XREADGROUP") and any(word.upper() == b"BLOCK" for word in words):
            words = [word for word in words if word.upper() != b"BLOCK"]
        # What is added to these must not be given an id by the clock.
        if words[0] == b"XADD":
            words = [b"0-0" if word == b"*" else word for word in words]
        return words, {"wrong"}

    def command(self):
        makers = [(self.xadd, 24), (self.xread, 12), (self.xreadgroup, 14), (self.xrange, 9), (self.xack, 6), (self.xclaim, 6),
                  (self.xautoclaim, 5), (self.xpending, 5), (self.xinfo, 6), (self.xgroup, 8), (self.xtrim, 2), (self.xdel, 3),
                  (self.xsetid, 1), (self.xlen, 2), (self.keys, 20), (self.wrong, 8)]
        make = self.random.choices([maker for maker, _ in makers], [weight for _, weight in makers])[0]
        words, oddities = make()
        words[0] = self.cased(words[0].decode())
        if words[0].upper() in (b"XREAD", b"XREADGROUP"):
            keys = words[[word.upper() for word in words].index(b"STREAMS") + 1:] if any(w.upper() == b"STREAMS" for w in words) else []
            half = keys[:len(keys) // 2]
            if len(set(half)) < len(half):
                oddities = oddities | {"twice"}
        command = Command(words, oddities)
        is_plain = all(word and all(33 <= byte < 127 and byte not in b"\"'\\" for byte in word) for word in command.words)
        if is_plain and self.chance(0.05) and sum(map(len, command.words)) < 1000:
            command.wire = b" ".join(command.words) + self.one([b"\r\n", b"\n"])
            command.oddities = oddities | {"inline"}
        return command

    def transaction(self):
        """MULTI, some commands that will be queued, and its end."""
        makers = [self.xadd, self.xread, self.xrange, self.keys, self.xlen, self.xack, self.xinfo]
        queued = []
        while len(queued) < self.random.randrange(1, 6):
            words, oddities = self.one(makers)()
            if not oddities and self.is_sound(words):
                queued.append(Command(words, {"queued"}))
        return [Command([b"MULTI"]), *queued, Command([self.one([b"EXEC", b"EXEC", b"EXEC", b"DISCARD"])])]

    @staticmethod
    def is_sound(words):
        """Whether a gateway and a server find nothing to object to before it is executed: no odd ids, numbers, lengths."""
        odd = set(BAD_IDS) | set(HUGE_IDS) | set(ODD_NUMBERS)
        name = words[0].upper()
        if name == b"XADD":
            return words[2:3] and len(words) % 2 == 1 and re.fullmatch(rb"\d+(-\d+)?", words[2]) is not None
        if any(word in odd for word in words[1:]):
            return False
        # What is made of digits and signs alone is an id or a number, or means to be one.
        if any(re.fullmatch(rb"[\d(+-]+", word) and not re.fullmatch(rb"[+-]|\(?\d{1,19}(-\d{1,19})?", word) for word in words[2:]):
            return False
        if name == b"XREAD":
            after = [word.upper() for word in words].index(b"STREAMS") + 1
            return (len(words) - after) % 2 == 0
        return True

    def commands(self, count):
        for name in FUTURE:
            yield Command([b"XADD", name, b"9999999999999-1", b"n", b"1"])
        for name in STREAMS[:3]:
            for group in GROUPS[:2]:
                yield Command([b"XGROUP", b"CREATE", name, group, b"0", b"MKSTREAM"])
        made = 0
        while made < count:
            if self.chance(0.03):
                several = self.transaction()
                made += len(several)
                yield from several
            else:
                made += 1
                yield self.command()
