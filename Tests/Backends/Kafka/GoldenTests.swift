import Foundation
import TestSupport
import Testing
import TidegateCore
import TidegateKafka

/// What real clients and a real broker (Apache Kafka 4.3.1) said to each other, recorded by a plain proxy: a line a frame.
@Suite struct GoldenTests {
    struct Frame {
        var isRequest: Bool
        var key, version: Int16
        var bytes: [UInt8]
    }

    static let clients = ["confluent", "java", "kafka-python", "kcat"]

    private func frames(_ client: String) throws -> [Frame] {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Golden/\(client).txt")
        return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map { line in
            let parts = line.split(separator: " ")
            try #require(parts.count == 4)
            let digits = Array(parts[3].utf8)
            let bytes = try stride(from: 0, to: digits.count - 1, by: 2).map { at in
                try #require(UInt8(String(decoding: digits[at...(at + 1)], as: UTF8.self), radix: 16))
            }
            return Frame(
                isRequest: parts[0] == "request", key: try #require(Int16(parts[1])),
                version: try #require(Int16(parts[2])), bytes: bytes)
        }
    }

    @Test(arguments: clients)
    func `every frame is read whole, with the topic and the group in it`(client: String) throws {
        var topics = 0
        var groups = 0
        var keys: Set<Int16> = []
        for frame in try frames(client) {
            let fields =
                frame.isRequest
                ? KafkaInspection.fields(ofRequest: frame.bytes, frame.key, frame.version)
                : KafkaInspection.fields(ofResponse: frame.bytes, frame.key, frame.version)
            // An ApiVersions newer than the broker's is answered in version 0.
            if fields == nil, frame.key == 18, !frame.isRequest { continue }
            let read = try #require(fields, "key \(frame.key) version \(frame.version)")
            keys.insert(frame.key)
            topics += read.count { $0.hasSuffix("=orders") }
            groups += read.count { $0.contains("=golden-") }
        }
        #expect(topics > 0 && groups > 0)
        #expect(keys.isSuperset(of: [0, 1, 3, 10, 18]))
    }

    /// The ids that the recording's topics had, as its own answers tell them.
    private func topics(_ frames: [Frame]) -> [KafkaRehearsal.Topic] {
        var found: [KafkaRehearsal.Topic] = []
        for frame in frames where !frame.isRequest && frame.key == 3 {
            let fields = KafkaInspection.fields(ofResponse: frame.bytes, 3, frame.version) ?? []
            for (at, field) in fields.enumerated() where field.contains(".TopicId=") && at > 0 {
                let name = fields[at - 1].split(separator: "=").last.map(String.init) ?? ""
                let halves = field.split(separator: "=")[1].split(separator: ":").compactMap { Int64($0) }
                guard halves.count == 2, fields[at - 1].contains(".Name=") else { continue }
                found.append(
                    .init(name, high: UInt64(bitPattern: halves[0]), low: UInt64(bitPattern: halves[1])))
            }
        }
        return found
    }

    @Test(arguments: clients)
    func `every request of a client with all rights passes as its very bytes`(client: String) throws {
        let frames = try frames(client)
        var rehearsing = Rehearsing(judge: Rehearsing.everything)
        rehearsing.others = topics(frames)
        for (at, frame) in frames.enumerated() where frame.isRequest && ![17, 18, 36].contains(frame.key) {
            let fields = KafkaInspection.fields(ofRequest: frame.bytes, frame.key, frame.version) ?? []
            var transcript: [Happening] = []
            // A session is honoured on the connection that opened it: the request and the answer that did come first.
            if frame.key == 1, !fields.contains("SessionId=0") {
                let before = frames[..<at].filter { $0.key == 1 }
                let opening = try #require(
                    before.first {
                        $0.isRequest
                            && KafkaInspection.fields(ofRequest: $0.bytes, 1, $0.version)?.contains("SessionId=0")
                                == true
                    })
                let answer = try #require(before.first { !$0.isRequest && $0.bytes[4..<8] == opening.bytes[8..<12] })
                transcript = [.client(opening.bytes), .backend(answer.bytes)]
            }
            let outcome = rehearsing.play(transcript + [.client(frame.bytes)])
            #expect(outcome.forwarded.last == frame.bytes, "key \(frame.key) version \(frame.version)")
            #expect(outcome.whole.violation == nil)
        }
    }
}
