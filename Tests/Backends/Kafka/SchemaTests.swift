import Foundation
import TestSupport
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

    @Test(
        .enabled(
            if: PublishedMaterial.kafkaDefinitions != nil, "KAFKA_HOME or ../shared/kafka with protocol/ is not there"))
    func `the committed definitions are what the script makes of Kafka's`() throws {
        let folder = try #require(PublishedMaterial.kafkaDefinitions).path
        let root = PublishedMaterial.checkout.path
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", root + "/scripts/kafka-definitions.py", folder]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let made = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let committed = try Data(
            contentsOf: URL(
                fileURLWithPath: root
                    + "/Sources/Backends/Kafka/Schema/Generated/KafkaDefinitions.swift"))
        #expect(process.terminationStatus == 0)
        #expect(made == committed)
    }
}
