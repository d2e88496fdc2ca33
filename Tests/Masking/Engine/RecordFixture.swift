import Foundation
import Synchronization
import Testing
import TidegateCore
import TidegateHTTP
import TidegateMasking
import TidegateSchemas

/// Records of several fields, as backends hand them over, and what becomes of each field.
struct RecordFixture {
    private var bytes: [UInt8] = []
    private var fields: [MaskField] = []

    mutating func add(
        _ part: RecordPart, _ content: [UInt8], name: String = "", record: UInt32 = 0, type: UInt32 = 0,
        isBinary: Bool = false
    ) {
        let start = bytes.count
        bytes += Array(name.utf8) + content
        var field = MaskField(
            part: part, record: record, range: (start + name.utf8.count)..<bytes.count,
            name: start..<(start + name.utf8.count))
        field.type = type
        field.isBinary = isBinary
        fields.append(field)
    }

    mutating func add(_ part: RecordPart, _ content: String, name: String = "", record: UInt32 = 0, type: UInt32 = 0) {
        add(part, Array(content.utf8), name: name, record: record, type: type)
    }

    /// Masks them, waiting for schemas. A field that is null, and one whose record goes, is nil.
    func masked(_ profile: MaskingProfile, resource: String = "orders") async -> [[UInt8]?] {
        var scratch: [UInt8] = []
        var outcomes: [MaskOutcome] = []
        var counters = MaskCounters()
        while true {
            let (woken, wakes) = AsyncStream.makeStream(of: Void.self)
            let request = MaskRequest(resource: Array(resource.utf8), waker: Waker { wakes.yield() })
            let isDone = unsafe profile.mask(
                fields.span, in: bytes.span.bytes, for: request, into: &scratch, outcomes: &outcomes,
                counters: &counters)
            if isDone { break }
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

    func texts(_ profile: MaskingProfile, resource: String = "orders") async -> [String?] {
        await masked(profile, resource: resource).map { $0.map { String(decoding: $0, as: UTF8.self) } }
    }

    /// A profile whose registry knows these schemas by id, from 1 on.
    static func profile(
        _ rules: [MaskingRule], format: MaskingFormat = .auto, onFailure: MaskingOnFailure = .redactValue,
        schemas: [(text: String, type: String)] = [], keys: Bool = true
    ) throws -> MaskingProfile {
        let registry = try SchemaRegistry(
            RegistrySettings(url: "http://registry"),
            get: { url in
                guard let id = url.split(whereSeparator: { "/?".contains($0) }).compactMap({ Int($0) }).first,
                    schemas.indices.contains(id - 1)
                else { return HTTPClient.Answer(status: 404, body: []) }
                let body = try JSONSerialization.data(
                    withJSONObject: ["schema": schemas[id - 1].text, "schemaType": schemas[id - 1].type])
                return HTTPClient.Answer(status: 200, body: Array(body))
            })
        var material = try EngineFixture.material()
        if !keys { material.keys = [:] }
        return try MaskingProfile(
            MaskingProfileSettings(
                name: "r", onFailure: onFailure, format: format, rules: rules,
                registry: schemas.isEmpty ? nil : "main"),
            material, registry: schemas.isEmpty ? nil : registry)
    }

    /// A text of Avro, of fewer than 64 bytes.
    static func avro(_ text: String) -> [UInt8] { [UInt8(text.utf8.count * 2)] + Array(text.utf8) }
}
