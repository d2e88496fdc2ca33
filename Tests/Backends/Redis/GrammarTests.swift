import Testing
import TidegateRedis

@Suite struct GrammarTests {
    struct Line: Sendable, CustomTestStringConvertible {
        var command: String
        var targets: [String]
        var shape: String
        var testDescription: String { command }
        init(_ command: String, _ targets: [String], _ shape: String = "plain") {
            self.command = command
            self.targets = targets
            self.shape = shape
        }
    }

    private static func ask(_ command: String) -> RedisInspection {
        RedisInspection.ask(command.split(separator: " ").map { Array($0.utf8) })
    }

    // MARK: Streams

    @Test(arguments: [
        Line("XADD s * f v", ["produce stream:s"], "added"), Line("xadd s 5-* f v g w", ["produce stream:s"], "added"),
        Line("XADD s NOMKSTREAM 5-1 f v", ["produce stream:s"], "added"),
        Line("XADD s MAXLEN 3 * f v", ["produce stream:s", "delete stream:s"], "added"),
        Line("XADD s NOMKSTREAM MINID ~ 5-0 LIMIT 10 7 f v", ["produce stream:s", "delete stream:s"], "added"),
        Line("XADD s maxlen = 3 DELREF * f v", ["produce stream:s", "delete stream:s"], "added"),
        Line("XADD s IDMP producer MAXLEN * f v", ["produce stream:s"], "added"),
        Line("XADD s IDMPAUTO * * f v", ["produce stream:s"], "added"),
        Line("XTRIM s MAXLEN ~ 5 LIMIT 3", ["delete stream:s"]),
        Line("XTRIM s ACKED MINID 5", ["delete stream:s"]),
        Line("XDEL s 1 2", ["delete stream:s"]), Line("XDELEX s KEEPREF IDS 2 1-0 2", ["delete stream:s"]),
        Line("XDELEX s IDS 1 1-0 ACKED", ["delete stream:s"]), Line("XLEN s", ["describe stream:s"]),
        Line("XACK s g 1-0", ["commit stream:s within group:g"]),
        Line("XACKDEL s g DELREF IDS 1 1-0", ["commit stream:s within group:g", "delete stream:s"]),
        Line("XNACK s g FAIL IDS 1 1-0 FORCE RETRYCOUNT 3", ["commit stream:s within group:g"]),
        Line("XSETID s 5-0 ENTRIESADDED 3 MAXDELETEDID 2-0", ["alter stream:s"]),
        Line("XCFGSET s IDMP-DURATION 5", ["alter stream:s"]),
    ])
    func `writes of a stream`(line: Line) { check(line) }

    @Test(arguments: [
        Line("XREAD STREAMS s 5-3", ["consume stream:s from 5-3"], "streams"),
        Line("XREAD COUNT 3 BLOCK 10 STREAMS a b 5 $", ["consume stream:a from 5-0", "consume stream:b"], "streams"),
        Line(
            "XREAD streams STREAMS BLOCK + 0", ["consume stream:STREAMS", "consume stream:BLOCK from 0-0"], "streams"),
        Line("XREADGROUP GROUP g c STREAMS s >", ["consume stream:s within group:g"], "streams"),
        Line(
            "XREADGROUP GROUP STREAMS STREAMS STREAMS STREAMS 5",
            ["consume stream:STREAMS within group:STREAMS from 5-0"], "streams"),
        Line(
            "XREADGROUP NOACK COUNT 0 GROUP count block CLAIM 7 BLOCK 5 STREAMS a b > 0-1",
            ["consume stream:a within group:count", "consume stream:b within group:count from 0-1"], "streams"),
        // The server's own COMMAND GETKEYS, and so its access lists, find STREAMS here; it reads x.
        Line("XREADGROUP NOACK GROUP BLOCK STREAMS STREAMS x >", ["consume stream:x within group:BLOCK"], "streams"),
        Line("XREADGROUP GROUP g streams STREAMS b >", ["consume stream:b within group:g"], "streams"),
        Line("XRANGE s - +", ["consume stream:s from 0-0"], "entries"),
        Line("XRANGE s (5-2 9 COUNT 3", ["consume stream:s from 5-2"], "entries"),
        Line("XREVRANGE s + 4-1 COUNT 3", ["consume stream:s from 4-1"], "entries"),
        Line(
            "XRANGE s 18446744073709551615-18446744073709551615 +",
            ["consume stream:s from 18446744073709551615-18446744073709551615"], "entries"),
        Line("XCLAIM s g c 0 5-0 6 IDLE 3 FORCE", ["consume stream:s within group:g from 5-0"], "entries"),
        Line("XCLAIM s g c 0 5-0 JUSTID LASTID 7-0", ["consume stream:s within group:g from 5-0"]),
        Line("XAUTOCLAIM s g c 0 - COUNT 3", ["consume stream:s within group:g from 0-0"], "claimed"),
        Line("XAUTOCLAIM s g c 0 0 JUSTID", ["consume stream:s within group:g from 0-0"]),
        Line("XPENDING s g", ["describe stream:s within group:g"]),
        Line("XPENDING s g IDLE 5 - + 10 c", ["describe stream:s within group:g"]),
        Line("XINFO STREAM s", ["consume stream:s", "describe stream:s"], "streamInformation"),
        Line("XINFO STREAM s FULL COUNT 5", ["consume stream:s", "describe stream:s"], "streamInformation"),
        Line("XINFO GROUPS s", ["describe stream:s"]),
        Line("XINFO CONSUMERS s g", ["describe stream:s within group:g"]),
        Line("XGROUP CREATE s g $ MKSTREAM ENTRIESREAD 3", ["create stream:s within group:g"]),
        Line("XGROUP SETID s g 5-0", ["alter stream:s within group:g from 5-0"]),
        Line("XGROUP DESTROY s g", ["delete stream:s within group:g"]),
        Line("XGROUP DELCONSUMER s g c", ["delete stream:s within group:g"]),
        Line("XGROUP CREATECONSUMER s g c", ["consume stream:s within group:g"]),
    ])
    func `reads of a stream, and its groups`(line: Line) { check(line) }

    @Test(arguments: [
        "XADD s", "XADD s * f", "XADD s * f v g", "XADD s MAXLEN 3 MINID 5 * f v", "XADD s MAXLEN 3 MAXLEN 3 * f v",
        "XADD s LIMIT 3 * f v", "XADD s MAXLEN * f v", "XADD s UNKNOWN * f v", "XADD s 5-1-1 f v", "XADD s - f v",
        "XADD s 5-2-* f v", "XADD s -* f v", "XADD s IDMP p * f", "XADD s NOMKSTREAM NOMKSTREAM * f v",
        "XADD s MAXLEN -1 * f v", "XADD s 18446744073709551616 f v", "XADD s +5 f v",
        "XREAD STREAMS s", "XREAD STREAMS a b 0", "XREAD COUNT STREAMS s 0", "XREAD BLOCK -1 STREAMS s 0",
        "XREAD BLOCK 5 BLOCK 6 STREAMS s 0", "XREAD COUNT 1 COUNT 2 STREAMS s 0", "XREAD GROUP g c STREAMS s >",
        "XREAD NOACK STREAMS s 0", "XREAD STREAMS s >", "XREAD STREAMS s -", "XREAD BLOCK 1e3 STREAMS s 0",
        "XREAD COUNT 5 WITH STREAMS s 0", "XREAD COUNT 5 s 0", "XREADGROUP GROUP g c STREAMS s $",
        "XREADGROUP GROUP g c GROUP h c STREAMS s >", "XREADGROUP COUNT 1 NOACK BLOCK 5 STREAMS s >",
        "XREADGROUP GROUP g STREAMS s 1 >", "XREADGROUP GROUP g c STREAMS a b >",
        "XREADGROUP GROUP g c NOACK NOACK STREAMS s >", "XRANGE s", "XRANGE s - + COUNT", "XRANGE s - + LIMIT 5",
        "XRANGE s (- +", "XRANGE s - + COUNT 5 COUNT 6", "XREVRANGE s + (", "XTRIM s LIMIT 5 3", "XTRIM s MAXLEN",
        "XTRIM s MAXLEN ~", "XTRIM s MAXLEN 5 6", "XDELEX s IDS 2 1-0", "XDELEX s IDS 0 1-0",
        "XDELEX s KEEPREF ACKED IDS 1 1",
        "XDELEX s IDS 1 1 IDS 1 1", "XACKDEL s g KEEPREF 1 1-0", "XNACK s g MAYBE IDS 1 1-0",
        "XNACK s g FAIL IDS 2 1-0 FORCE",
        "XCLAIM s g c 0 JUSTID", "XCLAIM s g c x 5-0", "XCLAIM s g c 0 5-0 JUSTID 6-0",
        "XCLAIM s g c 0 5-0 IDLE JUSTID",
        "XAUTOCLAIM s g c 0 0 COUNT JUSTID", "XPENDING s g - +", "XPENDING s g IDLE 5 - +", "XPENDING s g - + 5 c d",
        "XINFO STREAM s FULL COUNT", "XINFO STREAM s HALF", "XINFO STREAM", "XGROUP CREATE s g",
        "XGROUP SETID s g 0 MKSTREAM",
        "XGROUP DESTROY s g h", "XLEN", "XLEN a b", "XSETID s 5 MORE",
    ])
    func `what is no stream command fails`(command: String) {
        let read = Self.ask(command)
        #expect(read.handling == "governed")
        #expect(read.failure != nil)
    }

    @Test func `a blocked read says where its time stands, and where the newest entry is meant`() {
        let read = Self.ask("XREAD BLOCK 5 STREAMS a b 0 $")
        #expect(read.waits == 2)
        #expect(read.newest == 7)
        #expect(Self.ask("XREAD STREAMS a 0").waits == nil)
        #expect(Self.ask("XREAD STREAMS a 0").newest == nil)
        #expect(Self.ask("BLPOP a b 0.5").waits == 3)
        #expect(Self.ask("BZMPOP 2 1 a MIN").waits == 1)
    }

    @Test(arguments: [
        "BLPOP a inf", "BLPOP a 1e3", "BLPOP a 0x10", "BLPOP a -1", "BLPOP a .", "BLPOP a 1.2.3", "BLPOP a",
    ])
    func `a time to wait that is read in more than one way fails`(command: String) {
        #expect(Self.ask(command).failure != nil)
    }

    @Test func `a word with a zero byte behind it is not that word`() {
        let words = ["XREAD", "STREAMS\0", "s", "0"].map { Array($0.utf8) }
        #expect(RedisInspection.ask(words).failure != nil)
    }

    @Test(arguments: [
        ("XREAD BLOCK -1 STREAMS s 0", "timeout is negative"), ("XREAD BLOCK x STREAMS s 0", "timeout is not"),
        ("XREAD STREAMS s >", "The > ID"), ("XREADGROUP GROUP g c STREAMS s $", "The $ ID"),
        ("XREAD GROUP g c STREAMS s 0", "only supported by XREADGROUP"), ("XREAD STREAMS a b 0", "Unbalanced 'xread'"),
        ("XREADGROUP NOACK COUNT 5 BLOCK 5 STREAMS s >", "Missing GROUP"),
        ("XADD s * f", "wrong number of arguments"), ("XRANGE s a b", "Invalid stream ID"),
        ("XRANGE s - + COUNT x", "not an integer"), ("XTRIM s", "wrong number of arguments"),
        ("SET k v X", "syntax error"),
    ])
    func `a failure says what Redis would say`(command: String, words: String) throws {
        #expect(try #require(Self.ask(command).failure).contains(words))
    }

    // MARK: Keys

    @Test(arguments: [
        Line("GET k", ["consume key:k"], "values"),
        Line("MGET a b", ["consume key:a", "consume key:b"], "valuePerTarget"),
        Line("SET k v EX 5 NX", ["produce anyKey:k"], "written"),
        Line("SET k v XX get KEEPTTL", ["consume key:k", "produce anyKey:k"], "writtenForValue"),
        Line("SET k GET", ["produce anyKey:k"], "written"), Line("GETEX k", ["consume key:k"], "values"),
        Line("GETEX k PERSIST", ["consume key:k", "alter key:k"], "values"),
        Line("GETEX k EX 5", ["consume key:k", "alter key:k", "delete key:k"], "values"),
        Line("GETDEL k", ["consume key:k", "delete key:k"], "values"),
        Line("MSET a 1 b 2", ["produce anyKey:a", "produce anyKey:b"], "written"),
        Line("INCR k", ["consume key:k", "produce key:k"], "written"),
        Line("DEL a b", ["delete anyKey:a", "delete anyKey:b"]), Line("TYPE k", ["describe anyKey:k"]),
        Line("EXPIRE k 5 XX GT", ["alter anyKey:k", "delete anyKey:k"]),
        Line("HGET h f", ["consume key:h"], "namedFields(from: 2, isSingle: true)"),
        Line("HMGET h f g", ["consume key:h"], "namedFields(from: 2, isSingle: false)"),
        Line(
            "HGETEX h EX 5 FIELDS 2 f g", ["consume key:h", "produce key:h"], "namedFields(from: 6, isSingle: false)"),
        Line("HGETDEL h FIELDS 1 f", ["consume key:h", "delete key:h"], "namedFields(from: 4, isSingle: false)"),
        Line("HSETEX h FNX KEEPTTL FIELDS 1 f v", ["produce key:h"], "writtenUnlessZero"),
        Line("HEXPIRE h 5 NX FIELDS 1 f", ["produce key:h"]), Line("HTTL h FIELDS 1 f", ["describe key:h"]),
        Line("HSCAN h 0 MATCH a* NOVALUES", ["consume key:h"]),
        Line("HSCAN h 0 COUNT 5", ["consume key:h"], "scannedFields"),
        Line("HRANDFIELD h 3 WITHVALUES", ["consume key:h"], "fields"),
        Line(
            "BLPOP a b 0", ["consume key:a", "consume key:b", "delete key:a", "delete key:b"],
            "popped(isScored: false)"),
        Line(
            "BLMPOP 0 2 a b LEFT COUNT 3", ["consume key:a", "consume key:b", "delete key:a", "delete key:b"],
            "popped(isScored: false)"),
        Line("ZMPOP 1 min MAX", ["consume key:min", "delete key:min"], "popped(isScored: true)"),
        Line("SUNION a b", ["consume key:a", "consume key:b"], "values"),
        Line("SINTERCARD 2 a LIMIT LIMIT 3", ["consume key:a", "consume key:LIMIT"]),
        Line("ZADD z NX CH 5 m", ["produce key:z"], "written"),
        Line("ZADD z INCR 5 m", ["consume key:z", "produce key:z"], "written"),
        Line("ZRANGE z 0 -1", ["consume key:z"], "values"),
        Line("ZRANGE z 0 9 BYSCORE REV LIMIT 0 5 WITHSCORES", ["consume key:z"], "scored"),
        Line("ZUNION 2 a b WEIGHTS 1 2 AGGREGATE MIN WITHSCORES", ["consume key:a", "consume key:b"], "scored"),
        Line("ZDIFF 2 a WITHSCORES", ["consume key:a", "consume key:WITHSCORES"], "values"),
        Line("GEORADIUS g 1 2 3 km COUNT 5 ANY WITHCOORD", ["consume key:g"], "values"),
        Line("SMOVE a b m", ["consume key:a", "produce key:a", "produce key:b"], "writtenUnlessZero"),
        Line("PUBLISH c m", ["produce channel:c"], "written"),
        Line("PUBSUB NUMSUB a b", ["describe channel:a", "describe channel:b"]),
        Line("KEYS *", [], "names(TidegateRedis.CommandTarget.Kind.anyKey, hasCursor: false)"),
        Line("SCAN 0 TYPE stream", [], "names(TidegateRedis.CommandTarget.Kind.anyKey, hasCursor: true)"),
        Line("CLUSTER SLOTS", [], "clusterSlots"), Line("MEMORY USAGE k SAMPLES 5", ["describe anyKey:k"]),
    ])
    func `keys and channels`(line: Line) { check(line) }

    private func check(_ line: Line) {
        let read = Self.ask(line.command)
        #expect(read.failure == nil)
        #expect(read.targets == line.targets)
        #expect(read.shape == line.shape)
    }

    @Test(arguments: [
        "GET", "GET a b", "SET k", "SET k v EX", "SET k v EX GET", "SET k v IFEQ x", "SET k v EX 5 EX 6", "MSET a 1 b",
        "HSET h f", "HGETEX h FIELDS 2 f", "HGETEX h FIELDS 1 f g", "HSETEX h FIELDS 1 f", "HGETDEL h FIELDS 0 f",
        "GEORADIUS g 1 2 3 km STORE other", "GEORADIUSBYMEMBER g m 3 km STOREDIST other",
        "GEORADIUS g 1 2 3 km COUNT 5 STORE other", "ZUNION 3 a b", "ZUNION 0 a", "ZUNION 2 a b WEIGHTS 1",
        "ZDIFF 1 a WEIGHTS 1", "LMPOP 1 a UP", "LMPOP 2 a LEFT", "ZMPOP 9223372036854775807 a MIN", "SINTERCARD -1 a",
        "ZADD z NX 5", "BITFIELD k GET u8", "BITFIELD_RO k SET u8 0 1", "LCS a b c", "SCAN 0 MATCH", "EXPIRE k 5 SOON",
        "ZRANGE z 0 1 STORE other",
    ])
    func `what is no key command fails`(command: String) { #expect(Self.ask(command).failure != nil) }

    @Test(arguments: [
        "GETRANGE k 0 1", "SUBSTR k 0 1", "GETBIT k 5", "BITFIELD k GET u8 0", "HVALS h", "SISMEMBER s m",
        "SMISMEMBER s m", "SUNION a b", "SINTER a", "SINTERCARD 1 a", "ZINTERCARD 1 a", "ZSCORE z m", "ZRANK z m",
        "ZLEXCOUNT z - +", "ZRANGEBYLEX z - +", "ZRANGE z - + BYLEX", "LPOS l v", "SSCAN s 0 MATCH a*",
        "ZSCAN z 0 MATCH a*",
        "LCS a b", "INCRBY k 0", "HINCRBY h f 0", "GEOPOS g m", "GEOSEARCH g FROMMEMBER m BYRADIUS 5 m", "ZUNION 1 z",
        "BITCOUNT k", "ZADD z INCR 0 m",
    ])
    func `what a mask cannot look into is refused under one`(command: String) {
        let read = Self.ask(command)
        #expect(read.isRefusedUnderMask)
        #expect(read.failure == nil)
    }

    // MARK: All

    @Test(arguments: [
        "COPY a b", "RENAME a b", "DUMP k", "RESTORE k 0 x", "MIGRATE h 1 k 0 5", "SORT k", "SORT_RO k", "MOVE k 1",
        "SWAPDB 0 1", "LMOVE a b LEFT LEFT", "RPOPLPUSH a b", "BRPOPLPUSH a b 0", "SUNIONSTORE d a",
        "ZRANGESTORE d a 0 1",
        "GEOSEARCHSTORE d a", "BITOP AND d a", "PFMERGE d a", "MONITOR", "SYNC", "PSYNC ? -1", "CLIENT TRACKING on",
        "CLIENT MAINT_NOTIFICATIONS ON", "client caching yes", "OBJECT ENCODING k", "RANDOMKEY", "REPLICAOF h 1",
        "MODULE LOAD x",
    ])
    func `what goes around a mask is refused`(command: String) { #expect(Self.ask(command).handling == "refused") }

    @Test(arguments: [
        "", "XREADGROUPS", "XGROUP", "XGROUP TAKE s g", "XINFO", "CLIENT", "CLIENT X", "STRALGO LCS",
        "SENTINEL masters",
        "XIDMPRECORD s p i 1", "COMMAND FOO", "PINGXX", "CLUSTER",
    ])
    func `what nobody knows is unknown`(command: String) {
        #expect(Self.ask(command).rule == nil)
        #expect(Self.ask(command).failure == "unknown")
    }

    @Test func `a name is found in any case, and a subcommand only as an argument of its own`() {
        #expect(Self.ask("xGroUp cReate s g 0").rule == "XGROUP CREATE")
        #expect(Self.ask("command").rule == "COMMAND")
        #expect(Self.ask("command docs").rule == "COMMAND DOCS")
        #expect(RedisInspection.ask([Array("XGROUP CREATE".utf8), Array("s".utf8)]).failure == "unknown")
        #expect(RedisInspection.ask([Array("XGROUP".utf8), []]).failure == "unknown")
        #expect(RedisInspection.ask([Array("XGROUPCREATE".utf8)]).failure == "unknown")
        #expect(RedisInspection.ask([]).failure == "unknown")
    }

    @Test func `every command of the table is found by its name`() {
        #expect(RedisInspection.commands.count > 280)
        #expect(Set(RedisInspection.commands).count == RedisInspection.commands.count)
        for name in RedisInspection.commands {
            #expect(Self.ask(name).rule == name)
            #expect(Self.ask(name.lowercased()).rule == name)
        }
    }

    @Test func `categories open nothing that copies, exposes or lists names, nor values to writers`() throws {
        let all = RedisInspection.categories
        #expect(
            Set(try #require(all["read"])).isSuperset(of: ["XREAD", "XRANGE", "GET", "HGETALL", "SMEMBERS", "TYPE"]))
        #expect(Set(try #require(all["write"])).isSuperset(of: ["XADD", "XACK", "SET", "HSET", "DEL"]))
        for (category, names) in all {
            #expect(!names.isEmpty, "\(category)")
            #expect(RedisInspection.explicitCommands.isDisjoint(with: names), "\(category)")
            for name in names {
                #expect(Self.ask(name).handling != "refused", "\(category): \(name)")
                #expect(!["KEYS", "SCAN", "LCS", "RANDOMKEY", "DUMP"].contains(name), "\(category): \(name)")
            }
        }
        let returning = [
            "GETEX", "GETDEL", "GETSET", "LPOP", "SPOP", "ZPOPMIN", "BLPOP", "LMPOP", "XREADGROUP", "XCLAIM",
            "XAUTOCLAIM", "BITFIELD", "HGETDEL", "HGETEX", "GEORADIUS",
        ]
        #expect(Set(all["write"] ?? []).isDisjoint(with: returning))
    }
}
