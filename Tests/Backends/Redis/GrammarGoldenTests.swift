import Foundation
import TestSupport
import Testing
import TidegateRedis

/// Beside a real Redis 7.0: what it understands of some thousands of commands, right and wrong ones, and which keys it
/// finds in them (`Golden/record.py`).
@Suite struct GrammarGoldenTests {
    struct Line {
        var isUnderstood: Bool
        var words: [[UInt8]]
        var keys: Set<String>
        var text: String
    }

    private static func lines() throws -> [Line] {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Golden/commands.txt")
        return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map { line in
            let parts = line.split(separator: "\t", omittingEmptySubsequences: false)
            try #require(parts.count == 3)
            return Line(
                isUnderstood: parts[0] == "yes", words: parts[1].split(separator: " ").map { Array($0.utf8) },
                keys: Set(parts[2].split(separator: " ").map(String.init)), text: String(parts[1]))
        }
    }

    /// The names of targets, as `consume stream:NAME within ...` has them.
    private static func names(_ read: RedisInspection) -> Set<String> {
        Set(
            read.targets.compactMap { target in
                target.split(separator: ":", maxSplits: 1).last?.split(separator: " ").first.map(String.init)
            })
    }

    @Test func `whatever is let through names the keys that the server finds, no fewer and no others`() throws {
        var compared = 0
        for line in try Self.lines() where line.isUnderstood {
            let read = RedisInspection.ask(line.words)
            guard read.failure == nil else { continue }
            compared += 1
            #expect(Self.names(read) == line.keys, "\(line.text)")
        }
        #expect(compared > 500)
    }

    @Test func `few commands that the server understands are refused, and only for forms that nobody writes`() throws {
        var refused: [String] = []
        for line in try Self.lines() where line.isUnderstood {
            if RedisInspection.ask(line.words).failure != nil { refused.append(line.text) }
        }
        // Keys that are not there, of which the server reads no options; XCLAIM of nothing; GEORADIUS with STORE.
        #expect(refused.count < 12, "\(refused)")
        #expect(refused.contains("GEORADIUS o 1 2 5 km STORE w"))
    }

    // MARK: Any words

    private static let words = [
        "STREAMS", "COUNT", "BLOCK", "GROUP", "NOACK", "MAXLEN", "MINID", "LIMIT", "IDS", "FIELDS", "EX", "GET",
        "STORE", "IDMP",
        "WEIGHTS", "WITHSCORES", "MATCH", "LEFT", "MIN", "0", "1", "2", "3", "-1", "5-5", "-", "+", "(", "$", ">", "*",
        "~", "=",
        "k", "", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "18446744073709551615-1", "1.5",
    ].map { Array($0.utf8) }

    @Test(arguments: 0..<8)
    func `no words trap, and no target stands outside of the arguments`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var understood = 0
        for name in RedisInspection.commands {
            let start = name.split(separator: " ").map { Array($0.utf8) }
            for _ in 0..<40 {
                var arguments = start
                for _ in 0..<Int.random(in: 0...9, using: &random) {
                    arguments.append(Self.words.randomElement(using: &random) ?? [])
                }
                let read = RedisInspection.ask(arguments)
                #expect(!read.targets.contains("outside"), "\(read.targets)")
                #expect(read.failure == nil || read.targets.isEmpty)
                if let waits = read.waits { #expect(waits > 0 && waits < arguments.count) }
                if let newest = read.newest { #expect(newest > 0 && newest < arguments.count) }
                if read.failure == nil { understood += 1 }
            }
        }
        #expect(understood > 1000)
    }

    @Test func `random bytes as arguments never trap, and no target stands outside of them`() {
        var random = SeededGenerator(seed: 9)
        for name in RedisInspection.commands
        where RedisInspection.ask(arguments(name, 0, &random)).handling == "governed" {
            for count in 0..<12 {
                let read = RedisInspection.ask(arguments(name, count, &random))
                #expect(!read.targets.contains("outside"))
            }
        }
    }

    private func arguments(_ name: String, _ count: Int, _ random: inout SeededGenerator) -> [[UInt8]] {
        var arguments = name.split(separator: " ").map { Array($0.utf8) }
        for _ in 0..<count {
            arguments.append(
                (0..<Int.random(in: 0...40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) })
        }
        return arguments
    }
}
