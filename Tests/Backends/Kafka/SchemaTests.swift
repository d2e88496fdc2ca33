import Foundation
import Testing
import TidegateKafka
import TidegateWire

@Suite struct SchemaTests {
    @Test func `every message of every version is written from its defaults and read back whole`() {
        let failures = KafkaInspection.roundTrips()
        #expect(failures.isEmpty, "\(failures.prefix(5))")
        #expect(KafkaInspection.messageCount > 500)
    }

    @Test func `a message cut off anywhere is an error, never a trap`() {
        #expect(KafkaInspection.truncationsAccepted().isEmpty)
    }

    @Test(arguments: 0..<20)
    func `random bytes are refused or read, never a trap`(seed: Int) {
        KafkaInspection.readNoise(seed: UInt64(seed))
    }

    /// A new string, uuid or bytes field in Kafka's definitions must be looked at by somebody before it is served.
    @Test func `every field that can name something is accounted for`() {
        let open = KafkaInspection.unaccountedFields()
        #expect(open.isEmpty, "\(open)")
    }

    @Test func `the committed definitions are what the script makes of Kafka's`() throws {
        guard let folder = Checkout.shared("kafka/protocol") else {
            print("SKIPPED: ../shared/kafka/protocol is not there, so the committed definitions are not compared")
            return
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", Checkout.root + "/scripts/kafka-definitions.py", folder]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let made = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let committed = try Data(
            contentsOf: URL(
                fileURLWithPath: Checkout.root
                    + "/Sources/Backends/Kafka/Schema/Generated/KafkaDefinitions.swift"))
        #expect(process.terminationStatus == 0)
        #expect(made == committed)
    }
}

/// Where this checkout stands, and what stands beside it.
enum Checkout {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path
    static func shared(_ path: String) -> String? {
        let folder = URL(fileURLWithPath: root).deletingLastPathComponent().appending(path: "shared/\(path)").path
        return FileManager.default.fileExists(atPath: folder) ? folder : nil
    }
}
