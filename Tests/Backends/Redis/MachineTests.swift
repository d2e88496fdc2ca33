import Foundation
import TestSupport
import Testing
import TidegateCore
import TidegateRedis

struct LogInTests {
    @Test func `before a token nothing is answered but log-in`() {
        let outcome = RedisPlay().playBare([
            .ask("PING"), .ask("GET", "a"), .ask("NOSUCH"), .ask("HELLO", "3"), .ask("RESET"),
            .ask("AUTH", "any", "wrong"), .ask("AUTH"), .ask("QUIT"),
        ])
        let lines = outcome.toClient.components(separatedBy: "\r\n")
        #expect(lines[0] == "-NOAUTH Authentication required.")
        #expect(lines[1] == lines[0] && lines[2] == lines[0])
        #expect(lines[3].hasPrefix("-NOAUTH HELLO must be called with the client already authenticated"))
        #expect(lines[4] == "+RESET")
        #expect(lines[5] == "-WRONGPASS invalid username-password pair or user is disabled.")
        #expect(lines[6] == "-ERR wrong number of arguments for 'auth' command")
        #expect(lines[7] == "+OK")
        #expect(outcome.whole.closed == .ended)
        #expect(outcome.toBackend == "" && outcome.whole.endpoints == [])
    }

    @Test func `HELLO keeps the token here and gets the server's own answer`() {
        let outcome = RedisPlay().playBare([
            .ask("HELLO", "3", "AUTH", "any", "analyst-token", "SETNAME", "job"),
            .reply(map(bulk("proto"), ":3\r\n")), .ask("HELLO"), .reply(map(bulk("proto"), ":3\r\n")),
        ])
        #expect(outcome.toBackend == sent("HELLO", "3", "SETNAME", "job") + sent("HELLO"))
        #expect(outcome.toClient == map(bulk("proto"), ":3\r\n") + map(bulk("proto"), ":3\r\n"))
        for wrong in [["HELLO", "4"], ["HELLO", "3", "AUTH", "any"], ["HELLO", "x"]] {
            let refused = RedisPlay().playBare([.client(command(wrong))])
            #expect(refused.toClient.hasPrefix("-") && refused.toBackend == "", "\(wrong)")
        }
    }

    @Test func `the gateway logs in with its own password, and the commands wait`() {
        var play = RedisPlay()
        play.rehearsal = RedisRehearsal(username: "gateway", password: "s3cret")
        let outcome = play.play([.ask("PING"), .reply("+OK\r\n"), .reply("+PONG\r\n")])
        #expect(outcome.toBackend == sent("AUTH", "gateway", "s3cret") + sent("PING"))
        #expect(outcome.toClient == "+PONG\r\n")
        let refused = play.play([.ask("PING"), .reply("-WRONGPASS invalid username-password pair\r\n")])
        #expect(refused.whole.closed == .backendRefusedLogIn && refused.toClient == "")
    }

    @Test func `RESET logs out here and in again there`() {
        var play = RedisPlay()
        play.rehearsal = RedisRehearsal(password: "s3cret", databases: [0, 1])
        let outcome = play.play([
            .reply("+OK\r\n"), .ask("SELECT", "1"), .reply("+OK\r\n"), .ask("RESET"), .ask("GET", "a"),
            .reply("+RESET\r\n"), .reply("+OK\r\n"), .ask("AUTH", "analyst-token"), .ask("GET", "a"),
            .reply(bulk("v")),
        ])
        #expect(
            outcome.toBackend == sent("AUTH", "s3cret") + sent("SELECT", "1") + sent("RESET") + sent("AUTH", "s3cret")
                + sent("GET", "a"))
        #expect(
            outcome.toClient == "+OK\r\n+RESET\r\n-NOAUTH Authentication required.\r\n+OK\r\n" + bulk("v"))
        #expect(outcome.lines(of: "records.delivered").last?.contains(#""positions":[{"database":0}]"#) == true)
    }

    @Test func `no token travels in the clear`() {
        var play = RedisPlay()
        play.isConfidential = false
        let outcome = play.playBare([.ask("AUTH", "analyst-token")])
        #expect(outcome.toClient == "-NOPERM tokens need TLS on this listener\r\n")
        #expect(outcome.whole.closed == .refused(Refusal(.unauthenticated)))
    }
}

struct CommandTests {
    @Test func `commands pass as they came, pipelined, and answers in their order`() {
        let outcome = RedisPlay().play([
            .client(command(["set", "a", "1"]) + command(["GET", "secret"]) + command(["GeT", "a"])),
            .reply("+OK\r\n" + bulk("1")),
        ])
        #expect(outcome.toBackend == sent("set", "a", "1") + sent("GeT", "a"))
        #expect(outcome.toClient == "+OK\r\n-NOPERM consume this key is denied by rule 'rule one'\r\n" + bulk("1"))
        #expect(!outcome.toClient.contains("secret"))
        #expect(outcome.lines(of: "operation.denied").count == 1)
        #expect(outcome.lines(of: "records.produced").count == 1)
    }

    @Test func `groups of one stream have lines of their own`() {
        let outcome = RedisPlay().play([
            .client(
                command(["XREADGROUP", "GROUP", "g1", "c", "STREAMS", "a", ">"])
                    + command(["XREADGROUP", "GROUP", "g2", "c", "STREAMS", "a", ">"])),
            .reply(array(array(bulk("a"), array(entry("1-1", "f", "v"))))),
            .reply(array(array(bulk("a"), array(entry("1-2", "f", "v"))))),
        ])
        let lines = outcome.lines(of: "records.delivered")
        #expect(lines.count == 2 && lines.last?.contains(#""within":"group:g2""#) == true, "\(lines)")
    }

    @Test func `an answer that comes in many pieces is asked for to its end`() {
        let values = (0..<3000).map { bulk("\($0)") }
        let reply = "*\(values.count)\r\n" + values.joined()
        var transcript: [Happening] = [.ask("LRANGE", "a", "0", "-1")]
        let bytes = Array(reply.utf8)
        for start in stride(from: 0, to: bytes.count, by: 97) {
            transcript.append(.backend(Array(bytes[start..<min(bytes.count, start + 97)])))
        }
        let outcome = RedisPlay().play(transcript)
        #expect(outcome.toClient == reply)
        #expect(outcome.whole.steps.contains { if case .need(.backend, _) = $0 { true } else { false } })
    }

    @Test func `what the server did not store is not written down as produced`() {
        let cases: [([String], String)] = [
            (["SET", "a", "1", "NX"], "$-1\r\n"), (["SETNX", "a", "1"], ":0\r\n"), (["LPUSHX", "a", "1"], ":0\r\n"),
            (["LINSERT", "a", "BEFORE", "x", "y"], ":-1\r\n"), (["XADD", "a", "NOMKSTREAM", "*", "f", "v"], "$-1\r\n"),
            (["SET", "a", "1"], "-OOM command not allowed\r\n"),
        ]
        for (words, reply) in cases {
            let outcome = RedisPlay().play([.client(command(words)), .reply(reply)])
            #expect(outcome.lines(of: "records.produced") == [], "\(words)")
            #expect(outcome.toClient == reply)
        }
        let stored = RedisPlay().play([.ask("SETNX", "a", "1"), .reply(":1\r\n")])
        #expect(stored.lines(of: "records.produced").count == 1)
    }

    @Test func `what nobody knows, and what goes around a mask, is refused`() {
        let refused = [
            ["NOSUCH", "a"], ["EVAL", "return 1", "0"], ["FCALL", "f", "0"], ["DUMP", "a"], ["RENAME", "a", "b"],
            ["COPY", "a", "b"], ["MONITOR"], ["SYNC"], ["MIGRATE", "h", "1", "a", "0", "1"], ["SORT", "a"],
            ["CLIENT", "REPLY", "OFF"], ["CLIENT", "REPLY", "SKIP"], ["CLIENT", "TRACKING", "ON"],
            ["CLIENT", "MAINT_NOTIFICATIONS", "ON"], ["SWAPDB", "0", "1"], ["SELECT", "7"], ["XGROUP", "NOSUCH", "a"],
            ["XREAD", "COUNT", "STREAMS", "a", "0"], ["OBJECT", "ENCODING", "a"], ["DEBUG", "SLEEP", "1"],
        ]
        for words in refused {
            let outcome = RedisPlay().play([.client(command(words))])
            #expect(outcome.toBackend == "" && outcome.toClient.hasPrefix("-"), "\(words): \(outcome.toClient)")
            #expect(!outcome.lines(of: "operation.denied").isEmpty, "\(words)")
        }
    }

    @Test func `inline commands are decided as what the server reads`() {
        let outcome = RedisPlay().play([
            .say("set a 1\r\n"), .say("GET secret\n"), .say("\r\n"), .say("set \"a b\" 'c'\r\n"),
            .reply("+OK\r\n+OK\r\n"),
        ])
        #expect(outcome.toBackend == "set a 1\r\n" + sent("set", "a b", "c"))
        #expect(outcome.toClient == "+OK\r\n-NOPERM consume this key is denied by rule 'rule one'\r\n+OK\r\n")
        let broken = RedisPlay().play([.say("set \"a\r\n")])
        #expect(broken.toClient == "-ERR Protocol error: unbalanced quotes in request\r\n")
        #expect(broken.whole.closed == .violation(.client) && broken.toBackend == "")
    }

    @Test func `bytes behind an argument that are no end of line end the session`() {
        let outcome = RedisPlay().play([.say("*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n")])
        #expect(outcome.toBackend == "" && outcome.whole.closed == .violation(.client))
    }

    @Test func `a database is selected when the server says so, and only one that is open`() {
        var play = RedisPlay()
        play.rehearsal = RedisRehearsal(databases: [0, 2])
        let outcome = play.play([
            .client(command(["SELECT", "2"]) + command(["GET", "a"])), .reply("+OK\r\n"), .reply(bulk("v")),
            .ask("SELECT", "1"), .ask("SELECT", "2"), .reply("-ERR DB index is out of range\r\n"),
            .ask("GET", "b"), .reply(bulk("w")),
        ])
        #expect(
            outcome.toClient == "+OK\r\n" + bulk("v") + "-NOPERM this database is not open here\r\n"
                + "-ERR DB index is out of range\r\n" + bulk("w"))
        #expect(outcome.lines(of: "records.delivered").allSatisfy { $0.contains(#"{"database":2}"#) })
    }

    @Test func `a wait ends with the token, and never becomes one for ever`() {
        var play = RedisPlay()
        var brief = Principal.analyst
        brief.expires = ScriptedAuthority.noon.advanced(bySeconds: 30)
        play.principals = ["analyst-token": brief]
        let outcome = play.play([
            .ask("XREAD", "BLOCK", "0", "STREAMS", "a", "$"), .reply("*-1\r\n"),
            .ask("XREAD", "BLOCK", "5000", "STREAMS", "a", "$"), .reply("*-1\r\n"),
            .ask("BLPOP", "a", "0"), .reply("*-1\r\n"), .ask("BLPOP", "a", "1.5"), .reply("*-1\r\n"),
            .wait(29),
            .ask("XREAD", "block", "60000", "streams", "a", "$"),
        ])
        #expect(
            outcome.toBackend == sent("XREAD", "BLOCK", "30000", "STREAMS", "a", "$")
                + sent("XREAD", "BLOCK", "5000", "STREAMS", "a", "$") + sent("BLPOP", "a", "30.0")
                + sent("BLPOP", "a", "1.5") + sent("XREAD", "block", "1000", "streams", "a", "$"))
    }

    @Test func `a blocked read that is no longer allowed ends with its session`() {
        let blocked: [Happening] = [.ask("XREADGROUP", "GROUP", "g", "c", "BLOCK", "0", "STREAMS", "a", ">")]
        let revoked = RedisPlay(judge: RedisPlay.everything).play(
            blocked + [.reload(ScriptedPolicy(judge: RedisPlay.nothing))])
        #expect(revoked.whole.closed == .refused(Refusal(.revoked)))
        let kept = RedisPlay(judge: RedisPlay.everything).play(
            blocked + [.reload(ScriptedPolicy(judge: RedisPlay.everything)), .reply("*-1\r\n")])
        #expect(kept.whole.closed == nil && kept.toClient == "*-1\r\n")
    }

    @Test func `what comes when the right is gone is withheld, and said`() {
        let outcome = RedisPlay(judge: RedisPlay.everything).play([
            .ask("XRANGE", "a", "-", "+"), .ask("PING"), .reload(ScriptedPolicy(judge: RedisPlay.nothing)),
            .reply(array(entry("1-1", "f", "v"))), .reply("+PONG\r\n"),
        ])
        #expect(outcome.toClient == "-NOPERM no longer allowed\r\n+PONG\r\n")
        #expect(
            outcome.lines(of: "records.withheld").first?.contains(
                #""positions":[{"database":0,"first":"1-1","last":"1-1"}],"records":1"#) == true)
    }
}

struct TransactionTests {
    @Test func `every answer in EXEC's is looked at`() {
        let outcome = RedisPlay().play([
            .client(
                command(["MULTI"]) + command(["XRANGE", "customers", "-", "+"])
                    + command(["HGET", "customers:1", "mail"])
                    + command(["XADD", "a", "*", "f", "v"]) + command(["EXEC"])),
            .reply("+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n"),
            .reply(array(array(entry("1-1", "f", "abc")), bulk("a@b.c"), bulk("5-0"))),
        ])
        #expect(
            outcome.toClient == "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n"
                + array(array(entry("1-1", "f", "***")), bulk("*****"), bulk("5-0")))
        #expect(outcome.lines(of: "records.delivered").count == 2)
        #expect(outcome.lines(of: "records.produced").first?.contains(#""first":"5-0","last":"5-0""#) == true)
    }

    @Test func `what was refused, or is no longer allowed, spoils the transaction`() {
        let refused = RedisPlay().play([
            .ask("MULTI"), .reply("+OK\r\n"), .ask("SET", "a", "1"), .reply("+QUEUED\r\n"), .ask("GET", "secret"),
            .ask("EXEC"), .reply("+OK\r\n"), .ask("PING"), .reply("+PONG\r\n"),
        ])
        #expect(refused.toBackend == sent("MULTI") + sent("SET", "a", "1") + sent("DISCARD") + sent("PING"))
        #expect(
            refused.toClient
                == "+OK\r\n+QUEUED\r\n-NOPERM consume this key is denied by rule 'rule one'\r\n-EXECABORT Transaction discarded because of previous errors.\r\n+PONG\r\n"
        )
        #expect(refused.lines(of: "records.produced") == [])
        let revoked = RedisPlay(judge: RedisPlay.everything).play([
            .ask("MULTI"), .reply("+OK\r\n"), .ask("SET", "a", "1"), .reply("+QUEUED\r\n"),
            .reload(ScriptedPolicy(judge: RedisPlay.nothing)), .ask("EXEC"), .reply("+OK\r\n"),
        ])
        #expect(revoked.toBackend == sent("MULTI") + sent("SET", "a", "1") + sent("DISCARD"))
        #expect(revoked.toClient.hasSuffix("-EXECABORT Transaction discarded because of previous errors.\r\n"))
    }

    @Test func `what would change how a transaction is read is refused in it`() {
        for words in [
            ["HELLO", "3"], ["AUTH", "analyst-token"], ["SELECT", "0"], ["SUBSCRIBE", "a"],
            ["CLIENT", "REPLY", "SKIP"],
            ["PSUBSCRIBE", "a*"], ["UNSUBSCRIBE"],
        ] {
            let outcome = RedisPlay().play([
                .ask("MULTI"), .reply("+OK\r\n"), .client(command(words)), .ask("EXEC"), .reply("+OK\r\n"),
            ])
            #expect(outcome.toBackend == sent("MULTI") + sent("DISCARD"), "\(words)")
            #expect(outcome.toClient.hasSuffix("-EXECABORT Transaction discarded because of previous errors.\r\n"))
        }
    }

    @Test func `EXEC that is null, an error or discarded leaves nothing behind`() {
        let outcome = RedisPlay().play([
            .ask("WATCH", "a"), .reply("+OK\r\n"), .ask("MULTI"), .reply("+OK\r\n"), .ask("SET", "a", "1"),
            .reply("+QUEUED\r\n"), .ask("EXEC"), .reply("*-1\r\n"),
            .ask("MULTI"), .reply("+OK\r\n"), .ask("SET", "a", "1"), .reply("-ERR no\r\n"), .ask("EXEC"),
            .reply("-EXECABORT no\r\n"), .ask("MULTI"), .reply("+OK\r\n"), .ask("SET", "a", "1"),
            .reply("+QUEUED\r\n"), .ask("DISCARD"), .reply("+OK\r\n"),
            .ask("MULTI"), .reply("+OK\r\n"), .ask("GET", "a"), .reply("+QUEUED\r\n"), .ask("EXEC"),
            .reply(array(bulk("v"))),
        ])
        #expect(outcome.toClient.hasSuffix("+OK\r\n+QUEUED\r\n" + array(bulk("v"))))
        #expect(outcome.lines(of: "records.produced") == [])
        let other = RedisPlay().play([
            .ask("MULTI"), .reply("+OK\r\n"), .ask("GET", "a"), .reply("+QUEUED\r\n"), .ask("EXEC"), .reply("*0\r\n"),
        ])
        #expect(other.whole.violation?.side == .backend)
    }

    @Test func `what was executed and not answered is written down, what was only queued is not`() {
        let outcome = RedisPlay().play([
            .ask("MULTI"), .reply("+OK\r\n"), .ask("SET", "a", "1"), .reply("+QUEUED\r\n"), .ask("EXEC"),
            .ask("MULTI"), .ask("SET", "b", "1"),
        ])
        let produced = outcome.lines(of: "records.produced")
        #expect(produced.count == 1 && produced.first?.contains(#""resource":"key:a""#) == true, "\(produced)")
        #expect(produced.first?.contains("answer not seen") == true)
    }
}
