import Foundation
import Synchronization
import Testing
import TidegateCore
import TidegateHTTP
import TidegateMasking
import TidegateSchemas
import TidegateTokens

/// Records whose schema a file, a registry's framing or a header names.
struct SchemaMaskingTests {
    private static let avro = #"""
        {"type":"record","name":"Order","fields":[
          {"name":"email","type":"string","confluent:tags":["PII"]},
          {"name":"card","type":{"type":"record","name":"Card","fields":[{"name":"number","type":["null","string"]}]}},
          {"name":"age","type":"int"},
          {"name":"note","type":"string"},
          {"name":"attributes","type":{"type":"map","values":"string"}}
        ]}
        """#
    private static let protobuf = """
        syntax = "proto3";
        package shop;
        message Other { string name = 1; }
        message Order { string email = 1; int64 total = 2; Card card = 3; message Card { string number = 1; } }
        """

    private static func text(_ text: String) -> [UInt8] { [UInt8(text.utf8.count * 2)] + Array(text.utf8) }

    private static func order(email: String, card: String?, age: UInt8, note: String, city: String) -> [UInt8] {
        text(email) + (card.map { [2] + text($0) } ?? [0]) + [age * 2] + text(note) + [2] + text("city") + text(city)
            + [0]
    }

    private static let clear = order(
        email: "ann@example.com", card: "4111111111111111", age: 37, note: "call +1 415 555 2671", city: "Ulm")

    private static let rules = [
        MaskingRule(field: "card.number", action: .keepLast(4)),
        MaskingRule(.tag("PII"), action: .redact("x")),
        MaskingRule(field: "age", action: .bucket(width: "10")),
        MaskingRule(field: "attributes.city", action: .redact("c")),
        MaskingRule(.detectors(["phone"]), action: .redact("[x]")),
    ]
    private static let masked = order(email: "x", card: "****1111", age: 30, note: "call [x]", city: "c")

    /// A registry that answers when it is let.
    private final class Gate: Sendable {
        private let state = Mutex<(isOpen: Bool, waiting: [CheckedContinuation<Void, Never>])>((false, []))
        func open() {
            let waiting = state.withLock { state in
                state.isOpen = true
                return state.waiting
            }
            for continuation in waiting { continuation.resume() }
        }
        func pass() async {
            await withCheckedContinuation { continuation in
                let isOpen = state.withLock { state in
                    if !state.isOpen { state.waiting.append(continuation) }
                    return state.isOpen
                }
                if isOpen { continuation.resume() }
            }
        }
    }

    private static func registry(_ gate: Gate) throws -> SchemaRegistry {
        try SchemaRegistry(
            RegistrySettings(url: "http://registry"),
            get: { url in
                await gate.pass()
                let (schema, type) = url.contains("/8") ? (protobuf, "PROTOBUF") : (avro, "AVRO")
                guard url.contains("/7") || url.contains("/8") else { return HTTPClient.Answer(status: 404, body: []) }
                let body = try JSONSerialization.data(withJSONObject: ["schema": schema, "schemaType": type])
                return HTTPClient.Answer(status: 200, body: Array(body))
            })
    }

    private struct Batch {
        var bytes: [UInt8] = []
        var fields: [MaskField] = []
        mutating func add(_ part: RecordPart, _ content: [UInt8], name: String = "", record: UInt32 = 0) {
            let start = bytes.count
            bytes += Array(name.utf8) + content
            fields.append(
                MaskField(
                    part: part, record: record, range: (start + name.utf8.count)..<bytes.count,
                    name: start..<(start + name.utf8.count)))
        }

        /// Masks it, waiting for schemas.
        func masked(
            _ profile: MaskingProfile, resource: String = "orders", woken note: @escaping @Sendable () -> Void = {}
        ) async -> [[UInt8]?] {
            var scratch: [UInt8] = []
            var outcomes: [MaskOutcome] = []
            while true {
                let (woken, wakes) = AsyncStream.makeStream(of: Void.self)
                let request = MaskRequest(
                    resource: Array(resource.utf8),
                    waker: Waker {
                        note()
                        wakes.yield()
                    })
                var counters = MaskCounters()
                let isDone = unsafe profile.mask(
                    fields.span, in: bytes.span.bytes, for: request, into: &scratch, outcomes: &outcomes,
                    counters: &counters)
                if isDone { break }
                #expect(scratch.isEmpty && outcomes.isEmpty, "nothing is appended while a schema is asked for")
                for await _ in woken { break }
            }
            return outcomes.enumerated().map { index, outcome in
                switch outcome {
                case .unchanged: Array(bytes[fields[index].range])
                case .edited(let range): Array(scratch[range])
                case .null, .dropRecord: nil
                }
            }
        }
    }

    private static func profile(
        _ rules: [MaskingRule] = rules, format: MaskingFormat = .auto, onFailure: MaskingOnFailure = .redactValue,
        schemas: [FileSchemaSettings] = [], registry: SchemaRegistry? = nil
    ) throws -> MaskingProfile {
        try MaskingProfile(
            MaskingProfileSettings(
                name: "s", onFailure: onFailure, format: format, rules: rules,
                registry: registry == nil ? nil : "main", schemas: schemas),
            EngineFixture.material(), registry: registry)
    }

    @Test func `a value whose id a registry knows is masked inside of its types, once the schema is there`()
        async throws
    {
        let gate = Gate()
        let profile = try SchemaMaskingTests.profile(registry: SchemaMaskingTests.registry(gate))
        var batch = Batch()
        batch.add(.value, [0, 0, 0, 0, 7] + SchemaMaskingTests.clear)
        batch.add(.value, Array(#"{"age":37}"#.utf8), record: 1)
        async let masked = batch.masked(profile)
        gate.open()
        let outcomes = await masked
        #expect(outcomes == [[0, 0, 0, 0, 7] + SchemaMaskingTests.masked, Array("[redacted]".utf8)])
    }

    @Test func `the id may stand in a header, and a key has its own`() async throws {
        let gate = Gate()
        gate.open()
        let profile = try SchemaMaskingTests.profile(registry: SchemaMaskingTests.registry(gate))
        var batch = Batch()
        batch.add(.key, SchemaMaskingTests.text("plain"))
        batch.add(.value, SchemaMaskingTests.clear)
        batch.add(.header, [0, 0, 0, 0, 7], name: "__value_schema_id")
        let outcomes = await batch.masked(profile)
        #expect(outcomes[1] == SchemaMaskingTests.masked)
        #expect(outcomes[2] == [0, 0, 0, 0, 7])
    }

    @Test func `of two headers that name schemas neither is believed, but where they agree`() async throws {
        let gate = Gate()
        gate.open()
        // Nothing of it is what the first schema says: JSON would be read as such.
        let profile = try SchemaMaskingTests.profile(registry: SchemaMaskingTests.registry(gate))
        for (first, second, isRead) in [(7, 7, true), (7, 8, false), (8, 7, false)] as [(UInt8, UInt8, Bool)] {
            var batch = Batch()
            batch.add(.value, SchemaMaskingTests.clear)
            batch.add(.header, [0, 0, 0, 0, first], name: "__value_schema_id")
            batch.add(.header, [9], name: "other")
            batch.add(.header, [0, 0, 0, 0, second], name: "__value_schema_id")
            let shown = await batch.masked(profile)[0]
            #expect(shown == (isRead ? SchemaMaskingTests.masked : Array("[redacted]".utf8)))
        }
    }

    @Test(.timeLimit(.minutes(1)))
    func `ids that nobody knows, however many, hold no batch up and are not all asked for`() async throws {
        let gate = Gate()
        gate.open()
        let asked = Mutex(0)
        let registry = try SchemaRegistry(
            RegistrySettings(url: "http://registry"),
            get: { _ in
                asked.withLock { $0 += 1 }
                return HTTPClient.Answer(status: 404, body: [])
            })
        let profile = try SchemaMaskingTests.profile(registry: registry)
        var batch = Batch()
        for id in 0..<1100 as Range<UInt32> {
            batch.add(.value, [0, 0, 0, UInt8(id / 256), UInt8(id % 256)] + SchemaMaskingTests.clear, record: id)
        }
        let outcomes = await batch.masked(profile)
        #expect(outcomes.allSatisfy { $0 == Array("[redacted]".utf8) })
        #expect(asked.withLock { $0 } == 16)
    }

    @Test func `a batch of many schemas waits for all of them, and is called once a time`() async throws {
        let gate = Gate()
        let registry = try SchemaRegistry(
            RegistrySettings(url: "http://registry"),
            get: { url in
                await gate.pass()
                let body = try JSONSerialization.data(withJSONObject: ["schema": SchemaMaskingTests.avro])
                return HTTPClient.Answer(status: 200, body: Array(body))
            })
        let profile = try SchemaMaskingTests.profile(registry: registry)
        var batch = Batch()
        for record in 0..<400 as Range<UInt32> {
            batch.add(.value, [0, 0, 0, 0, UInt8(record % 40)] + SchemaMaskingTests.clear, record: record)
        }
        let calls = Mutex(0)
        async let masked = batch.masked(profile) { calls.withLock { $0 += 1 } }
        gate.open()
        for (record, outcome) in await masked.enumerated() {
            #expect(outcome == [0, 0, 0, 0, UInt8(record % 40)] + SchemaMaskingTests.masked)
        }
        // 16 at a time, and one that was not there yet each time.
        #expect(calls.withLock { $0 } <= 2 * 40)
    }

    @Test func `Protobuf is masked with its lengths, and what no schema names is left out`() async throws {
        let gate = Gate()
        gate.open()
        let rules = [
            MaskingRule(field: "card.number", action: .keepLast(4)),
            MaskingRule(field: "total", action: .bucket(width: "100")),
        ]
        let profile = try SchemaMaskingTests.profile(rules, registry: SchemaMaskingTests.registry(gate))
        var batch = Batch()
        let card: [UInt8] = [0x1a, 18, 0x0a, 16] + Array("4111111111111111".utf8)
        let unknown: [UInt8] = [0x7a, 3] + Array("who".utf8)
        // The second message: a count of one, and its index.
        batch.add(.value, [0, 0, 0, 0, 8, 2, 2] + [0x0a, 1, 0x61, 0x10, 0x96, 0x01] + card + unknown)
        let outcomes = await batch.masked(profile)
        let kept: [UInt8] = [0x1a, 10, 0x0a, 8] + Array("****1111".utf8)
        #expect(outcomes == [[0, 0, 0, 0, 8, 2, 2] + [0x0a, 1, 0x61, 0x10, 0x64] + kept])
    }

    @Test(arguments: [MaskingOnFailure.redactValue, .dropRecord])
    func `a schema that nobody knows, and a payload that is none of it, are not shown`(onFailure: MaskingOnFailure)
        async throws
    {
        let gate = Gate()
        gate.open()
        let profile = try SchemaMaskingTests.profile(onFailure: onFailure, registry: SchemaMaskingTests.registry(gate))
        var batch = Batch()
        batch.add(.value, [0, 0, 0, 0, 9] + SchemaMaskingTests.clear)
        batch.add(.value, [0, 0, 0, 0, 7] + SchemaMaskingTests.clear.dropLast(), record: 1)
        batch.add(.value, [0, 0, 0, 0, 7] + SchemaMaskingTests.clear + [0], record: 2)
        batch.add(.value, [0, 0, 0], record: 3)
        let shown: [UInt8]? = onFailure == .dropRecord ? nil : Array("[redacted]".utf8)
        for outcome in await batch.masked(profile).prefix(3) { #expect(outcome == shown) }
    }

    @Test func `a file's schema is of the topics that are named`() async throws {
        let path = FileManager.default.temporaryDirectory.path + "/tidegate-\(UUID().uuidString).avsc"
        try SchemaMaskingTests.avro.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let profile = try SchemaMaskingTests.profile(
            schemas: [FileSchemaSettings(resources: ["orders*"], file: path)])
        var batch = Batch()
        batch.add(.value, SchemaMaskingTests.clear)
        #expect(await batch.masked(profile, resource: "orders.eu") == [SchemaMaskingTests.masked])
        #expect(await batch.masked(profile, resource: "payments") == [Array("[redacted]".utf8)])
        #expect(throws: MaskingSettingsErrors.self) {
            try SchemaMaskingTests.profile(schemas: [FileSchemaSettings(resources: ["a"], file: "/no/such.avsc")])
        }
    }

    @Test func `a token of an Avro value is that of the same value in JSON`() async throws {
        let gate = Gate()
        gate.open()
        let rules = [MaskingRule(field: "email", action: EngineFixture.token("email"))]
        let profile = try SchemaMaskingTests.profile(rules, registry: SchemaMaskingTests.registry(gate))
        var batch = Batch()
        batch.add(.value, [0, 0, 0, 0, 7] + SchemaMaskingTests.clear)
        let outcome = try #require(await batch.masked(profile)[0])
        let json = try #require(try EngineFixture(rules).json(#"{"email":"ann@example.com"}"#))
        let token = json.dropFirst(#"{"email":""#.count).dropLast(2)
        #expect(token.hasPrefix("tgh1_"))
        #expect(Array(outcome[5...]).starts(with: SchemaMaskingTests.text(String(token))))
    }
}
