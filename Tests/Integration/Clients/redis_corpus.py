"""The same generated commands to a server, and through the gateway to a server like it: replies and the state afterwards must be equal.

Replies are compared as bytes. Where a reply tells ages (XPENDING with a range, XINFO CONSUMERS, XINFO STREAM FULL) these are left out.
Differences that are right, each counted by its reason:
- both sides refuse, in other words, and the gateway's begin with one of REFUSALS;
- the gateway refuses what the server would have taken, and the command has an oddity of TOLERATED. Such a command goes to the gateway
  first, and to the server only where the gateway took it, so that both states stay the same.
"""
import collections
import json
import random
import sys
import threading

from redis_common import arguments, plain, read
from redis_generator import Generator
from redis_wire import Closed, Pairs, Refused, Wire, parse

# How a refusal of the gateway begins, where the server refuses too.
REFUSALS = ["NOPERM", "ERR unknown", "ERR syntax", "ERR wrong number of arguments", "ERR value is not", "ERR Invalid stream ID",
            "ERR Unbalanced", "ERR timeout", "ERR Missing GROUP", "ERR The > ID", "ERR The $ ID", "EXECABORT"]
# What a strict grammar may refuse though a server takes it: an option that stands twice; a group or a consumer that is spelled like a
# keyword, which the servers' own key specifications misread; words that a server goes over without a look.
TOLERATED = {"repeated", "keyword", "wrong"}
# How the gateway's own refusal of such a command begins; any other error is the server's, and is compared.
OWN = (b"-NOPERM", b"-ERR refused", b"-ERR syntax error\r\n", b"-ERR Invalid stream ID", b"-ERR wrong number of arguments")
AGES = {b"idle", b"inactive", b"seen-time", b"active-time"}


def ageless(value, key=None):
    """XINFO's replies without ages and clocks; both as a number that is not negative."""
    if isinstance(value, Pairs):
        return [[name, ageless(member, name)] for name, member in value]
    if isinstance(value, list):
        names = [None] + [name if isinstance(name, bytes) else None for name in value[:-1]]
        return [ageless(member, name) for member, name in zip(value, names)]
    if isinstance(value, int) and value >= 0 and (key in AGES or value >= 10**9):
        return "AGE"
    return value if not isinstance(value, Refused) else ["refused", str(value)]


def comparable(command, raw):
    words = [word.upper() for word in command.words]
    if words[0] == b"XPENDING" and len(words) > 3:
        rows = parse(raw)
        return [[*row[:2], "AGE", *row[3:]] for row in rows] if isinstance(rows, list) else raw
    if words[:2] == [b"XINFO", b"CONSUMERS"] or words[:2] == [b"XINFO", b"STREAM"] and b"FULL" in words:
        return ageless(parse(raw))
    # What was queued is not known here: all ages in it are left out.
    return ageless(parse(raw)) if words[0] == b"EXEC" else raw


class Side:
    """A connection that is sent many commands in pieces of any size, while its replies are read."""

    def __init__(self, wire, seed):
        self.wire, self.random = wire, random.Random(seed)

    def ask(self, commands):
        data = b"".join(command.wire for command in commands)
        sender = threading.Thread(target=self._send, args=(data,), daemon=True)
        sender.start()
        replies = [self.wire.raw() for _ in commands]
        sender.join()
        return replies

    def _send(self, data):
        at = 0
        while at < len(data):
            size = self.random.choice([1, 2, 3, 17, 100, 1000, 1 << 14, len(data)])
            self.wire.send(data[at:at + size])
            at += size


def dump(wire, databases):
    """What a server holds, by key; ages left out."""
    found = {}
    for database in databases:
        assert wire.ask("SELECT", database) == "OK"
        for key in sorted(wire.ask("KEYS", "*")):
            kind = wire.ask("TYPE", key)
            words = {"stream": [("XRANGE", key, "-", "+"), ("XINFO", "STREAM", key, "FULL", "COUNT", 0)], "string": [("GET", key)],
                     "hash": [("HGETALL", key)], "list": [("LRANGE", key, 0, -1)], "zset": [("ZRANGE", key, 0, -1, "WITHSCORES")],
                     "set": [("SMEMBERS", key)]}[kind]
            values = [ageless(wire.ask(*asked)) for asked in words]
            found[f"{database}:{plain(key)}"] = plain([kind, sorted(map(plain, values[0])) if kind == "set" else values])
    return found


def excerpt(raw):
    return raw[:300].decode("utf-8", "backslashreplace")


class Comparison:
    def __init__(self):
        self.counts = collections.Counter()
        self.refusals = collections.Counter()
        self.different = []

    def judge(self, command, through, direct):
        """`direct` is nil where the server was not asked."""
        self.counts["commands"] += 1
        if direct is None:
            self.counts["tolerated"] += 1
            self.refusals[f"{'+'.join(sorted(command.oddities & TOLERATED))}: {through[1:60].decode('utf-8', 'replace')}"] += 1
        elif through == direct:
            self.counts["identical"] += 1
        elif comparable(command, through) == comparable(command, direct):
            self.counts["identical but for ages"] += 1
        elif through[:1] == direct[:1] == b"-" and any(through[1:].startswith(start.encode()) for start in REFUSALS):
            self.counts["both refuse"] += 1
            self.refusals[f"both: {through[1:40].decode('utf-8', 'replace')}"] += 1
        else:
            self.counts["different"] += 1
            if len(self.different) < 20:
                self.different.append({"command": plain([word[:80] for word in command.words]), "oddities": sorted(command.oddities),
                                       "through": excerpt(through), "direct": excerpt(direct)})


def main(given):
    sides = [Side(Wire(given.port, given.user, given.token, given.protocol, seconds=20), given.seed),
             Side(Wire(given.direct_port, given.direct_user, read(given.direct_password_file), given.protocol, seconds=20), given.seed + 1)]
    generator, chunks = Generator(given.seed), random.Random(given.seed + 2)
    commands = list(generator.commands(given.count))
    result, at = Comparison(), 0
    while at < len(commands):
        chunk = commands[at:at + chunks.choice([1, 1, 2, 5, 20, 60])]
        try:
            through = sides[0].ask(chunk)
        except (Closed, OSError) as failure:
            result.counts["different"] += 1
            result.different.append({"command": plain([command.words for command in chunk][:60]), "through": f"ended: {failure!r}"[:300]})
            break
        if at <= given.lie_at < at + len(chunk):
            lied = bytearray(through[given.lie_at - at])
            lied[-3 if len(lied) > 4 else 1] ^= 1
            through[given.lie_at - at] = bytes(lied)
        left_out = [bool(command.oddities & TOLERATED) and reply.startswith(OWN) for command, reply in zip(chunk, through)]
        replies = iter(sides[1].ask([command for command, is_out in zip(chunk, left_out) if not is_out]))
        for command, reply, is_out in zip(chunk, through, left_out):
            result.judge(command, reply, None if is_out else next(replies))
        at += len(chunk)
    for side in sides:
        side.wire.close()
    if given.lie_state:
        Wire(given.state_port, given.direct_user, read(given.direct_password_file)).ask("XADD", "lie", "1-0", "lie", "1")
    states = [dump(Wire(port, given.direct_user, read(given.direct_password_file), 2), given.databases)
              for port in (given.state_port, given.direct_port)]
    unlike = sorted(key for key in states[0].keys() | states[1].keys() if states[0].get(key) != states[1].get(key))
    print(json.dumps({"counts": result.counts, "refusals": dict(result.refusals.most_common()), "different": result.different,
                      "keys": len(states[1]), "unlike": unlike}, sort_keys=True, indent=1))
    return 1 if result.counts["different"] or unlike else 0


if __name__ == "__main__":
    sys.exit(main(arguments(
        __doc__, direct_port={"type": int, "required": True, "help": "of the server that is asked directly"},
        state_port={"type": int, "required": True, "help": "of the server behind the gateway"},
        direct_user={"default": "default"}, direct_password_file={"required": True}, protocol={"type": int, "choices": [2, 3], "default": 2},
        seed={"type": int, "default": 1}, count={"type": int, "default": 4000}, databases={"type": int, "nargs": "*", "default": [0, 1]},
        lie_at={"type": int, "default": -1, "help": "changes one reply, to see that it is found"},
        lie_state={"action": "store_true", "help": "changes one key, to see that it is found"})))
