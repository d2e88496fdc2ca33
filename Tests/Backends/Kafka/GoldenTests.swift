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

    @Test(arguments: clients)
    func `every request of a client with all rights passes as its very bytes`(client: String) throws {
        for frame in try frames(client) where frame.isRequest && ![17, 18, 36].contains(frame.key) {
            // Topics' ids are those of the recording: what names by id only is asked of the catalogue in vain.
            let fields = KafkaInspection.fields(ofRequest: frame.bytes, frame.key, frame.version) ?? []
            let isByID = fields.contains { $0.contains("TopicId=") && !$0.hasSuffix("=0:0") }
            if isByID { continue }
            // A session that another connection opened is not honoured.
            if frame.key == 1, !fields.contains("SessionId=0") { continue }
            let outcome = Rehearsing(judge: Rehearsing.everything).play([.client(frame.bytes)])
            #expect(outcome.toBackend == frame.bytes, "key \(frame.key) version \(frame.version)")
            #expect(outcome.whole.violation == nil)
        }
    }
}
