import Foundation
import TestSupport
import Testing
import TidegateRedis

/// Answers of real servers (Redis 7.0 and 7.4, RESP2 and RESP3), with a tell-tale in every value
/// (`Golden/record_replies.py`): what a command's shape says is what the servers answer.
@Suite struct ReplyGoldenTests {
    struct Answer {
        var server: String
        var command: String
        var bytes: [UInt8]
        var words: [[UInt8]] { command.split(separator: " ").map { Array($0.utf8) } }
        var isError: Bool { bytes.first == UInt8(ascii: "-") }
    }

    private static func answers() throws -> [Answer] {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Golden/replies.txt")
        return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map { line in
            let parts = line.split(separator: "\t")
            try #require(parts.count == 3)
            let digits = Array(parts[2].utf8)
            let bytes = try stride(from: 0, to: digits.count - 1, by: 2).map { at in
                try #require(UInt8(String(decoding: digits[at...(at + 1)], as: UTF8.self), radix: 16))
            }
            return Answer(server: String(parts[0]), command: String(parts[1]), bytes: bytes)
        }
    }

    private static func secrets(_ text: String) -> [String] {
        text.matches(of: /secret-[a-z0-9]+/).map { String($0.output) }.sorted()
    }

    @Test func `every value of an answer is found, and nothing else is taken for one`() throws {
        var found = 0
        for answer in try Self.answers() where !answer.isError {
            let read = RedisInspection.ask(answer.words)
            let label: Comment = "\(answer.server) \(answer.command)"
            #expect(read.failure == nil, label)
            // Under a mask the command is refused: nothing need be found.
            if read.isRefusedUnderMask { continue }
            let values = try #require(try RedisInspection.values(in: answer.bytes, to: answer.words), label)
            let there = Self.secrets(String(decoding: answer.bytes, as: UTF8.self))
            #expect(Self.secrets(values.joined(separator: " ")) == there, label)
            #expect(values.count == there.count, "\(answer.server) \(answer.command): \(values)")
            found += values.count
        }
        #expect(found > 300)
    }

    @Test func `values belong to the target that holds them`() throws {
        let owners: [(key: String, values: Set<String>)] = [
            ("a", ["secret-a"]), ("b", ["secret-b"]), ("l", ["secret-1", "secret-2", "secret-3"]), ("m", ["secret-4"]),
            ("s", ["secret-11", "secret-12", "secret-13", "secret-14"]), ("t", ["secret-15"]),
            ("z", ["secret-8", "secret-9"]),
        ]
        var compared = 0
        for answer in try Self.answers() where !answer.isError {
            let read = RedisInspection.ask(answer.words)
            guard !read.isRefusedUnderMask,
                let values = try RedisInspection.values(in: answer.bytes, to: answer.words)
            else { continue }
            for value in values {
                let parts = value.split(separator: ":", maxSplits: 1).map(String.init)
                guard parts.count == 2, let target = Int(parts[0]), read.targets.indices.contains(target) else {
                    Issue.record("\(answer.command): \(value)")
                    continue
                }
                for (key, owned) in owners where owned.contains(parts[1]) {
                    compared += 1
                    let name = read.targets[target].split(separator: " ").dropFirst().first.map(String.init)
                    #expect(name?.hasSuffix(":\(key)") == true, "\(answer.server) \(answer.command): \(value)")
                }
            }
        }
        #expect(compared > 200)
    }

    @Test func `an answer that is cut short or has another form is no answer of that command`() throws {
        var refused = 0
        for answer in try Self.answers() where !answer.isError && answer.command.hasPrefix("X") {
            for count in stride(from: 0, to: answer.bytes.count, by: 7) {
                let cut = Array(answer.bytes[..<count])
                do { _ = try RedisInspection.values(in: cut, to: answer.words) } catch { refused += 1 }
            }
        }
        #expect(refused > 300)
    }
}
