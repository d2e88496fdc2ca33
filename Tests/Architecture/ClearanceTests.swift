import Foundation
import Testing

/// The law that no byte passes without a decision, as far as the text of the sources can hold it.
struct ClearanceTests {
    /// Files that may say the gateway's own words to a backend (handshakes, log-ins, questions of its own): each is a place
    /// for a reviewer to look at, for a peer's bytes must never go this way.
    static let speakers: Set<String> = [
        // The side connection that asks the cluster for its topics and brokers.
        "Sources/Backends/Kafka/State/CatalogueMachine.swift",
        // The gateway's own log-in at a broker.
        "Sources/Backends/Kafka/State/UpstreamLogIn.swift",
        // RESET, behind which the gateway logs in anew, and DISCARD in the place of an EXEC that must not be.
        "Sources/Backends/Redis/State/RedisMachine+Session.swift",
        // The side connection that asks a cluster's node or a sentinel where the servers are.
        "Sources/Backends/Redis/State/TopologyMachine.swift",
        // The gateway's own log-in at a server.
        "Sources/Backends/Redis/State/UpstreamLogIn.swift",
    ]

    @Test func `only listed files speak to a backend for the gateway itself`() throws {
        var found: Set<String> = []
        for file in try SourceTree.files(below: "Sources/Backends") {
            if try SourceTree.code(file).contains("sayToBackend(") { found.insert(file) }
        }
        #expect(found == ClearanceTests.speakers)
    }

    @Test func `a clearance is made by the core alone`() throws {
        for file in try SourceTree.files(below: "Sources") where !file.hasPrefix("Sources/Gateway/Core/") {
            #expect(try !SourceTree.code(file).contains(#/\bClearance\(/#), "\(file)")
        }
    }

    @Test func `raw loads from spans are Wire's`() throws {
        for file in try SourceTree.files(below: "Sources") where !file.hasPrefix("Sources/Gateway/Wire/") {
            #expect(try !SourceTree.code(file).contains("unsafeLoad"), "\(file)")
        }
    }
}
