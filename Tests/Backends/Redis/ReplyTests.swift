import TestSupport
import Testing
import TidegateCore
import TidegateRedis

/// Every shape of answer, masked (each value becomes stars), and what evidence says of it.
struct ReplyTests {
    /// - Returns: what the client gets for a command on what is called customers.
    private func masked(
        _ words: [String], _ reply: String, _ location: SourceLocation = #_sourceLocation
    ) -> RedisPlay.Outcome {
        RedisPlay().play([.client(command(words)), .reply(reply)], location)
    }

    @Test func `entries of streams in every form`() {
        let entries = array(entry("1-1", "f", "abc", "g", "de"), entry("2-0", "f", "x"))
        let stars = array(entry("1-1", "f", "***", "g", "**"), entry("2-0", "f", "*"))
        for words in [
            ["XRANGE", "customers", "-", "+"], ["XREVRANGE", "customers", "+", "-"],
            ["XCLAIM", "customers", "g", "c", "0", "1-1"],
        ] {
            let outcome = masked(words, entries)
            #expect(outcome.toClient == stars, "\(words)")
            #expect(
                outcome.lines(of: "records.delivered").first?.contains(
                    #""positions":[{"database":0,"first":"1-1","last":"2-0"}],"records":2,"bytes":\#(entries.utf8.count),"masked_fields":3"#
                )
                    == true, "\(outcome.lines)")
        }
        #expect(
            masked(["XAUTOCLAIM", "customers", "g", "c", "0", "0"], array(bulk("0-0"), entries, array(bulk("9-9"))))
                .toClient == array(bulk("0-0"), stars, array(bulk("9-9"))))
        for (reply, expected) in [
            (array(array(bulk("customers"), entries)), array(array(bulk("customers"), stars))),
            (map(bulk("customers"), entries), map(bulk("customers"), stars)),
            ("*-1\r\n", "*-1\r\n"), ("_\r\n", "_\r\n"),
        ] {
            #expect(masked(["XREAD", "STREAMS", "customers", "0"], reply).toClient == expected)
            #expect(
                masked(["XREADGROUP", "GROUP", "g", "c", "STREAMS", "customers", "0"], reply).toClient == expected)
        }
        // Deleted since, and idle time with delivery count behind the fields.
        let odd = array(
            array(bulk("1-1"), "*-1\r\n"), array(bulk("2-1"), array(bulk("f"), bulk("v")), ":5\r\n", ":1\r\n"))
        #expect(masked(["XRANGE", "customers", "-", "+"], odd).toClient == odd.replacing("$1\r\nv", with: "$1\r\n*"))
    }

    @Test func `streams of one read are told apart, and one may come twice`() {
        let outcome = masked(
            ["XREAD", "STREAMS", "a", "customers", "a", "0", "0", "0"],
            array(
                array(bulk("a"), array(entry("1-0", "f", "v"))),
                array(bulk("customers"), array(entry("2-0", "f", "v"))),
                array(bulk("a"), array(entry("1-0", "f", "v")))))
        #expect(outcome.toClient.contains(entry("2-0", "f", "*")) && outcome.toClient.contains(entry("1-0", "f", "v")))
        #expect(outcome.lines(of: "records.delivered").count == 3)
        let other = masked(
            ["XREAD", "STREAMS", "a", "0"], array(array(bulk("customers"), array(entry("2-0", "f", "v")))))
        #expect(other.toClient == "-ERR the answer is not understood by the gateway\r\n")
    }

    @Test func `first and last entries in what is told about a stream`() {
        let reply = map(
            bulk("length"), ":2\r\n", bulk("first-entry"), entry("1-1", "f", "abc"), bulk("last-entry"), "$-1\r\n",
            bulk("entries"), array(entry("2-2", "f", "d")))
        #expect(
            masked(["XINFO", "STREAM", "customers", "FULL"], reply).toClient
                == reply.replacing("abc", with: "***").replacing("$1\r\nd", with: "$1\r\n*"))
    }

    @Test func `values of other keys in every form`() {
        let cases: [([String], String, String)] = [
            (["GET", "customers"], bulk("abc"), bulk("***")), (["GET", "customers"], "$-1\r\n", "$-1\r\n"),
            (["MGET", "a", "customers"], array(bulk("x"), bulk("y")), array(bulk("x"), bulk("*"))),
            (["LRANGE", "customers", "0", "-1"], array(bulk("ab"), bulk("c")), array(bulk("**"), bulk("*"))),
            (["SMEMBERS", "customers"], "~1\r\n" + bulk("ab"), "~1\r\n" + bulk("**")),
            (["HGETALL", "customers"], array(bulk("f"), bulk("v")), array(bulk("f"), bulk("*"))),
            (["HGETALL", "customers"], map(bulk("f"), bulk("v")), map(bulk("f"), bulk("*"))),
            (["HGET", "customers", "f"], bulk("v"), bulk("*")),
            (["HMGET", "customers", "f", "g"], array(bulk("v"), "$-1\r\n"), array(bulk("*"), "$-1\r\n")),
            (
                ["ZRANGE", "customers", "0", "-1", "WITHSCORES"], array(bulk("ab"), bulk("1.5")),
                array(bulk("**"), bulk("1.5"))
            ),
            (
                ["ZRANGE", "customers", "0", "-1", "WITHSCORES"], array(array(bulk("ab"), ",1.5\r\n")),
                array(array(bulk("**"), ",1.5\r\n"))
            ),
            (["BLPOP", "customers", "0"], array(bulk("customers"), bulk("ab")), array(bulk("customers"), bulk("**"))),
            (["LPOP", "customers", "2"], array(bulk("ab")), array(bulk("**"))),
            (
                ["ZMPOP", "1", "customers", "MIN"], array(bulk("customers"), array(array(bulk("m"), bulk("1")))),
                array(bulk("customers"), array(array(bulk("*"), bulk("1"))))
            ),
            (
                ["HSCAN", "customers", "0"], array(bulk("0"), array(bulk("f"), bulk("v"))),
                array(bulk("0"), array(bulk("f"), bulk("*")))
            ),
            (["SSCAN", "customers", "0"], array(bulk("17"), array(bulk("v"))), array(bulk("17"), array(bulk("*")))),
            (["SET", "customers", "new", "GET"], bulk("old"), bulk("***")),
            (["GET", "customers"], "-WRONGTYPE no\r\n", "-WRONGTYPE no\r\n"),
        ]
        for (words, reply, expected) in cases {
            #expect(masked(words, reply).toClient == expected, "\(words)")
        }
    }

    @Test func `parts of values are refused where a mask is in force`() {
        for words in [
            ["GETRANGE", "customers", "0", "3"], ["HVALS", "customers"], ["BITFIELD", "customers", "GET", "u8", "0"],
        ] {
            let outcome = RedisPlay().play([.client(command(words))])
            #expect(outcome.toBackend == "" && outcome.toClient.hasPrefix("-NOPERM"), "\(words)")
        }
        #expect(RedisPlay().play([.ask("GETRANGE", "a", "0", "3"), .reply(bulk("abcd"))]).toClient == bulk("abcd"))
    }

    @Test func `records that cannot be masked are left out, counted, and written down`() {
        var play = RedisPlay()
        play.maskers = { isReluctant in
            [
                ScriptedMasker(isReluctant: isReluctant) {
                    $0 == Array("bad".utf8) ? .dropRecord : $0 == Array("nil".utf8) ? .null : nil
                }
            ]
        }
        let outcome = play.play([
            .ask("XRANGE", "customers", "-", "+"),
            .reply(array(entry("1-0", "f", "bad"), entry("2-0", "f", "ok"), entry("3-0", "f", "nil", "g", "bad"))),
            .ask("GET", "customers"), .reply(bulk("bad")), .ask("HGETALL", "customers"),
            .reply(map(bulk("f"), bulk("bad"), bulk("g"), bulk("nil"))),
        ])
        #expect(
            outcome.toClient == array(entry("2-0", "f", "**")) + "$-1\r\n" + map(bulk("g"), bulk("")))
        let withheld = outcome.lines(of: "records.withheld")
        #expect(
            withheld.count == 3 && withheld[0].contains(#""first":"1-0","last":"3-0"}],"records":2"#), "\(withheld)")
        #expect(
            outcome.lines(of: "records.delivered").first?.contains(#""first":"2-0","last":"2-0"}],"records":1"#) == true
        )
    }

    @Test func `messages level keeps fields as the client got them`() {
        let outcome = RedisPlay().play([
            .ask("XRANGE", "whole", "-", "+"), .reply(array(entry("1-5", "f", "abc"))), .ask("GET", "whole:k"),
            .reply(bulk("abc")),
        ])
        let lines = outcome.lines(of: "records.delivered")
        #expect(
            lines.first?.contains(
                #""messages":[{"position":"1-5","key":null,"value":null,"headers":[{"key":"f","value":"***"}]}]"#)
                == true)
        #expect(lines.last?.contains(#""messages":[{"position":null,"key":null,"value":"***"}]"#) == true, "\(lines)")
    }

    @Test func `names that may not be described are left out of lists`() {
        #expect(
            RedisPlay().play([.ask("KEYS", "*"), .reply(array(bulk("a"), bulk("secret"), bulk("b")))]).toClient
                == array(bulk("a"), bulk("b")))
        #expect(
            RedisPlay().play([.ask("SCAN", "0"), .reply(array(bulk("5"), array(bulk("secret"))))]).toClient
                == array(bulk("5"), "*0\r\n"))
    }

    @Test func `an answer to nobody, and bytes that are no RESP, end the session`() {
        for reply in ["+OK\r\n", "*x\r\n", "hello\r\n", "$5\r\nabcdefg\r\n", "*1\r\n$-5\r\n"] {
            let outcome = RedisPlay().play([.ask("PING"), .reply("+PONG\r\n"), .reply(reply)])
            #expect(outcome.whole.violation?.side == .backend, "\(reply)")
        }
    }
}

struct SubscriptionTests {
    @Test func `messages come between answers, masked, RESP2 and RESP3`() {
        let two = RedisPlay().play([
            .ask("SUBSCRIBE", "a", "customers"), .reply(array(bulk("subscribe"), bulk("a"), ":1\r\n")),
            .reply(array(bulk("message"), bulk("a"), bulk("hi"))),
            .reply(array(bulk("subscribe"), bulk("customers"), ":2\r\n")), .ask("PING"),
            .reply(array(bulk("message"), bulk("customers"), bulk("hi"))), .reply(array(bulk("pong"), bulk(""))),
            .ask("UNSUBSCRIBE"), .reply(array(bulk("unsubscribe"), bulk("a"), ":1\r\n")),
            .reply(array(bulk("unsubscribe"), bulk("customers"), ":0\r\n")), .ask("GET", "k"), .reply(bulk("v")),
        ])
        #expect(two.toClient.contains(array(bulk("message"), bulk("a"), bulk("hi"))))
        #expect(two.toClient.contains(array(bulk("message"), bulk("customers"), bulk("**"))))
        #expect(two.toClient.hasSuffix(array(bulk("unsubscribe"), bulk("customers"), ":0\r\n") + bulk("v")))
        let push = ">3\r\n" + bulk("message") + bulk("customers") + bulk("hi")
        let three = RedisPlay().play([
            .ask("HELLO", "3"), .reply("%0\r\n"), .ask("SUBSCRIBE", "customers"),
            .reply(">3\r\n" + bulk("subscribe") + bulk("customers") + ":1\r\n"), .ask("GET", "k"), .reply(push),
            .reply(bulk("v")), .reply(push),
        ])
        let stars = push.replacing("hi", with: "**")
        #expect(three.toClient.hasSuffix(":1\r\n" + stars + bulk("v") + stars))
    }

    @Test func `a pattern brings only what its listener may have, and no notifications of keys`() {
        let outcome = RedisPlay().play([
            .ask("PSUBSCRIBE", "s*"), .reply(array(bulk("psubscribe"), bulk("s*"), ":1\r\n")),
            .reply(array(bulk("pmessage"), bulk("s*"), bulk("secret"), bulk("x"))),
            .reply(array(bulk("pmessage"), bulk("s*"), bulk("sun"), bulk("y"))),
        ])
        #expect(!outcome.toClient.contains("secret") && outcome.toClient.contains("sun"))
        #expect(outcome.lines(of: "operation.denied").count == 1)
        var play = RedisPlay()
        play.judge = { _, question in
            Ruling(effect: question.kind == "cluster" ? .deny : .allow, rule: question.kind == "cluster" ? 1 : 0)
        }
        let keys = play.play([.ask("PSUBSCRIBE", "__keyspace@0__:*")])
        #expect(keys.toBackend == "" && keys.toClient.hasPrefix("-NOPERM"))
        let sly = play.play([
            .ask("PSUBSCRIBE", "_*"), .reply(array(bulk("psubscribe"), bulk("_*"), ":1\r\n")),
            .reply(array(bulk("pmessage"), bulk("_*"), bulk("__keyevent@0__:set"), bulk("private:name"))),
        ])
        #expect(!sly.toClient.contains("private"))
    }

    @Test func `what the server refuses is not listened to, and what it confirms alone is`() {
        // Arrays that look like messages are answers where nothing is listened to.
        let outcome = RedisPlay().play([
            .ask("SUBSCRIBE", "own"), .ask("HGETALL", "customers"), .reply("-NOPERM no channel\r\n"),
            .reply(array(bulk("message"), bulk("abc"), bulk("x"), bulk("y"))), .ask("GET", "customers"),
            .reply(bulk("abc")),
        ])
        #expect(
            outcome.toClient == "-NOPERM no channel\r\n" + array(bulk("message"), bulk("***"), bulk("x"), bulk("*"))
                + bulk("***"))
        let stays = RedisPlay().play([
            .ask("SUBSCRIBE", "customers"), .reply(array(bulk("subscribe"), bulk("customers"), ":1\r\n")),
            .ask("UNSUBSCRIBE"), .reply("-NOPERM no such command\r\n"), .ask("GET", "k"),
            .reply(array(bulk("message"), bulk("customers"), bulk("abc"))),
        ])
        #expect(stays.toClient.hasSuffix(array(bulk("message"), bulk("customers"), bulk("***"))))
        #expect(stays.toClient.contains("-ERR Can't execute this command") && !stays.toBackend.contains("GET"))
        let unasked = RedisPlay().play([
            .ask("PING"), .reply("+PONG\r\n"), .reply(array(bulk("subscribe"), bulk("a"), ":1\r\n")),
        ])
        #expect(unasked.whole.violation?.side == .backend)
    }

    @Test func `a message before RESET's answer is masked, and RESET's answer is no other`() {
        let start: [Happening] = [
            .ask("SUBSCRIBE", "customers"), .reply(array(bulk("subscribe"), bulk("customers"), ":1\r\n")),
            .ask("RESET"),
        ]
        let outcome = RedisPlay().play(
            start + [.reply(array(bulk("message"), bulk("customers"), bulk("abc"))), .reply("+RESET\r\n")])
        #expect(outcome.toClient.hasSuffix(array(bulk("message"), bulk("customers"), bulk("***")) + "+RESET\r\n"))
        #expect(RedisPlay().play(start + [.reply("+OK\r\n")]).whole.closed == .violation(.backend))
    }

    @Test func `channels by which servers speak need the right of an administrator`() {
        var play = RedisPlay()
        play.judge = { _, question in
            Ruling(effect: question.kind == "cluster" ? .deny : .allow, rule: question.kind == "cluster" ? 1 : 0)
        }
        for words in [
            ["PUBLISH", "__sentinel__:hello", "127.0.0.1,1,x"], ["SUBSCRIBE", "__sentinel__:hello"],
            ["SPUBLISH", "__redis__:invalidate", "x"], ["PSUBSCRIBE", "__key*"],
        ] {
            let outcome = play.play([.client(command(words))])
            #expect(outcome.toBackend == "" && outcome.toClient.hasPrefix("-NOPERM"), "\(words)")
        }
    }

    @Test func `a subscription that is no longer allowed ends the session, a push that nobody asked for too`() {
        let outcome = RedisPlay(judge: RedisPlay.everything).play([
            .ask("SUBSCRIBE", "a"), .reply(array(bulk("subscribe"), bulk("a"), ":1\r\n")),
            .reload(ScriptedPolicy(judge: RedisPlay.nothing)),
        ])
        #expect(outcome.whole.closed == .refused(Refusal(.revoked)))
        let push = RedisPlay().play([.reply(">2\r\n" + bulk("invalidate") + array(bulk("k")))])
        #expect(push.whole.violation?.side == .backend && !push.toClient.contains("invalidate"))
    }
}
