import Foundation
import Synchronization
import TestSupport
import Testing
import TidegateCore

struct JSONTextTests {
    private func string(_ text: String) -> String {
        var bytes: [UInt8] = []
        JSONText.append(text, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func content(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        JSONText.append(content: bytes.span.bytes, to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    @Test func `strings are escaped so that every reader gets them back`() throws {
        var text = ""
        for scalar in 0..<0x180 { text.unicodeScalars.append(Unicode.Scalar(UInt8(scalar & 0xFF))) }
        text += "\u{2028}😀\u{FFFD}"
        let written = string(text)
        #expect(!written.utf8.contains { $0 < 0x20 })
        let read = try JSONSerialization.jsonObject(with: Data(written.utf8), options: .fragmentsAllowed) as? String
        #expect(read?.unicodeScalars.elementsEqual(text.unicodeScalars) == true)
        #expect(string("a\"b\\c\n\u{1}") == #""a\"b\\c\n\u0001""#)
    }

    @Test(arguments: [0, 1, -1, 9, 10, Int64.max, Int64.min])
    func `numbers are written in full`(number: Int64) {
        var bytes: [UInt8] = []
        JSONText.append(number: number, to: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == "\(number)")
    }

    @Test func `members are separated, first ones are not`() {
        var bytes: [UInt8] = [UInt8(ascii: "{")]
        JSONText.member("a", "x", to: &bytes)
        JSONText.member("b", UInt64.max, to: &bytes)
        JSONText.member("c", ["p", "q"], to: &bytes)
        JSONText.member("d", [], to: &bytes)
        bytes.append(UInt8(ascii: "}"))
        #expect(String(decoding: bytes, as: UTF8.self) == #"{"a":"x","b":9223372036854775807,"c":["p","q"],"d":[]}"#)
    }

    @Test func `content that is no text is base64, as RFC 4648 has it`() {
        #expect(content(Array("ok".utf8)) == #""ok""#)
        #expect(content([]) == #""""#)
        for count in 1...20 {
            let bytes = (0..<count).map { UInt8(0xF8 | $0 & 7) }
            #expect(content(bytes) == #"{"base64":"\#(Data(bytes).base64EncodedString())"}"#)
        }
    }
}

struct InstantTests {
    @Test func `text is that of the calendar, over all days`() {
        let formatter = ISO8601DateFormatter()
        var wrong: [Int] = []
        for day in stride(from: 0, to: 80_000, by: 13) {
            let seconds = Int64(day) * 86_400 + Int64(day * 7919 % 86_400)
            let expected = formatter.string(from: Date(timeIntervalSince1970: Double(seconds))).dropLast()
            if Instant(seconds: seconds).rfc3339 != "\(expected).000000Z" { wrong.append(day) }
        }
        #expect(wrong == [])
        #expect(Instant(nanoseconds: 1_001_999).rfc3339 == "1970-01-01T00:00:00.001001Z")
        #expect(Instant(nanoseconds: -5).rfc3339 == "1970-01-01T00:00:00.000000Z")
        #expect(ScriptedAuthority.noon.rfc3339 == "2026-11-24T12:00:00.000000Z")
    }

    @Test func `arithmetic is held at the range's ends`() {
        #expect(Instant(seconds: .max) == .distantFuture && Instant(seconds: .min) == .distantPast)
        #expect(Instant.distantFuture.advanced(bySeconds: 1) == .distantFuture)
        #expect(Instant.distantPast.advanced(bySeconds: -1) == .distantPast)
        #expect(Instant.distantFuture.milliseconds(since: .distantPast) == .max)
        #expect(Instant.distantPast.milliseconds(since: .distantFuture) == .min)
        #expect(Instant(seconds: 2).milliseconds(since: Instant(seconds: 3)) == -1000)
    }
}

struct LogTests {
    @Test func `a line is one JSON object, and lines below the level are left out`() throws {
        let lines = Mutex<[[UInt8]]>([])
        let log = Log(minimum: .warning) { line in lines.withLock { $0.append(line) } }
        log.info("not written")
        log.warning("odd \"thing\"", ["route": "or\nders"])
        log.error("bad")
        let written = lines.withLock { $0 }
        #expect(written.count == 2 && written.allSatisfy { $0.last == 10 })
        let first = try JSONSerialization.jsonObject(with: Data(written[0])) as? [String: String]
        #expect(first?["level"] == "warning" && first?["message"] == "odd \"thing\"" && first?["route"] == "or\nders")
        #expect(first?["time"]?.hasSuffix("Z") == true)
    }
}

struct EvidenceBufferTests {
    @Test func `tickets rise with entries, and relaxed mode waits for none`() {
        for isStrict in [true, false] {
            let buffer = EvidenceBuffer(isStrict: isStrict, idPrefix: "p")
            #expect(!buffer.hasEntries)
            let first = buffer.write("config.reloaded", at: ScriptedAuthority.noon, session: []) { _ in }
            let second = buffer.write("config.reloaded", at: ScriptedAuthority.noon, session: []) { _ in }
            #expect(first == (isStrict ? 1 : 0) && second == (isStrict ? 2 : 0) && buffer.hasEntries)
            var lines: [UInt8] = [1, 2, 3]
            let upTo = buffer.take(into: &lines)
            #expect(upTo == 2 && !buffer.hasEntries)
            #expect(lines.count { $0 == 10 } == 2 && lines.first == UInt8(ascii: "{"))
            #expect(String(decoding: lines, as: UTF8.self).contains(#""id":"p-2""#))
        }
    }
}

struct MeterTests {
    @Test func `a duration is counted in the bucket that holds it, a step back as nothing`() {
        var histogram = Meter.Histogram()
        for (nanoseconds, bucket) in [(-5, 0), (0, 0), (1000, 0), (1001, 1), (1_000_000_000, 12), (.max, 13)]
            as [(Int64, Int)]
        {
            let before = histogram.counts[bucket]
            histogram.observe(nanoseconds: nanoseconds)
            #expect(histogram.counts[bucket] == before + 1)
        }
        #expect(histogram.counts.reduce(0, +) == 6 && histogram.sum > 0)
    }

    @Test func `counts of loops add up`() {
        var one = Meter.Counts()
        var two = Meter.Counts()
        one.sessionsEnded = ["idle": 1, "ended": 2]
        two.sessionsEnded = ["idle": 3]
        two.operations[5] = 7
        two.decisions.observe(nanoseconds: 10)
        one.add(two)
        #expect(one.sessionsEnded == ["idle": 4, "ended": 2] && one.operations[5] == 7)
        #expect(one.decisions.counts[0] == 1)
    }
}

struct AdvertiseTests {
    let byPort = Advertise(host: "gw", ports: 9193...9199, firstNode: 1, serverNamePattern: nil, port: 9192)
    let byName = Advertise(
        host: "gw", ports: nil, firstNode: 0, serverNamePattern: "broker-{id}.GW.test", port: 9192)

    @Test(arguments: [(1, 9193), (7, 9199)] as [(Int32, UInt16)])
    func `node and port stand for each other`(node: Int32, port: UInt16) throws {
        let address = try #require(byPort.address(ofNode: node))
        #expect(address.host == "gw" && address.port == port)
        #expect(byPort.node(ofPort: port) == node)
    }

    @Test(arguments: [0, 8, -1, .min, .max] as [Int32])
    func `a node without a port has no address`(node: Int32) { #expect(byPort.address(ofNode: node) == nil) }

    @Test func `the route's own port stands for no node`() {
        #expect(byPort.node(ofPort: 9192) == nil && byPort.node(ofPort: 9200) == nil && byName.node(ofPort: 1) == nil)
    }

    @Test func `server names stand for nodes, without regard to case`() throws {
        #expect(try #require(byName.address(ofNode: 12)).host == "broker-12.GW.test")
        #expect(byName.node(ofServerName: "BROKER-12.gw.test") == 12)
        for name in [
            "broker-.gw.test", "broker-1x.gw.test", "gw.test", "broker-99999999999.gw.test", "broker--1.gw.test",
        ] {
            #expect(byName.node(ofServerName: name) == nil)
        }
        #expect(byName.address(ofNode: -1) == nil)
    }
}

struct SessionLedgerTests {
    @Test func `connections in all are limited`() {
        let ledger = SessionLedger()
        #expect(ledger.connect(limit: 2) && ledger.connect(limit: 2) && !ledger.connect(limit: 2))
        ledger.disconnect()
        #expect(ledger.connect(limit: 2) && ledger.connections == 2)
    }

    @Test func `subjects are counted apart, and leaving twice does no harm`() {
        let ledger = SessionLedger()
        #expect(ledger.enter(subject: "a", limit: 1) && !ledger.enter(subject: "a", limit: 1))
        #expect(ledger.enter(subject: "b", limit: 1))
        ledger.leave(subject: "a")
        ledger.leave(subject: "a")
        #expect(ledger.enter(subject: "a", limit: 1) && !ledger.enter(subject: "a", limit: 1))
    }
}
