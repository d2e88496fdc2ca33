import TidegateCore
import TidegateMasking
import TidegateTokens

/// Profiles of tests, and how they mask a text, a document or a field.
struct EngineFixture {
    let profile: MaskingProfile

    /// The same material in every test: tokens can be compared between profiles.
    static let secret = (0..<32).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }

    static func material(_ detectors: [String: UserDetectorSettings] = [:]) throws -> MaskingMaterial {
        MaskingMaterial(
            keys: ["default": try MaskingKey(name: "default", versions: [1: secret])], detectors: detectors)
    }

    init(
        _ rules: [MaskingRule], format: MaskingFormat = .auto, onFailure: MaskingOnFailure = .redactValue,
        name: String = "test", detectors: [String: UserDetectorSettings] = [:], keys: Bool = true
    ) throws {
        var material = try EngineFixture.material(detectors)
        if !keys { material.keys = [:] }
        profile = try MaskingProfile(
            MaskingProfileSettings(name: name, onFailure: onFailure, format: format, rules: rules), material)
    }

    /// Detectors that redact.
    static func detecting(_ names: String..., format: MaskingFormat = .auto) throws -> EngineFixture {
        try EngineFixture([MaskingRule(.detectors(names), action: .redact("[x]"))], format: format)
    }

    static func token(_ domain: String, _ form: TokenForm = .opaque) -> MaskingAction {
        .token(TokenSettings(key: "default", domain: domain, form: form))
    }

    func json(_ text: String) -> String? {
        profile.mask(line: Array(text.utf8), isJSON: true).map { String(decoding: $0, as: UTF8.self) }
    }

    func text(_ text: String) -> String? {
        profile.mask(line: Array(text.utf8), isJSON: false).map { String(decoding: $0, as: UTF8.self) }
    }

    struct Masked: Equatable {
        var outcome: MaskOutcome
        var content: [UInt8]?
        var text: String { content.map { String(decoding: $0, as: UTF8.self) } ?? "\(outcome)" }
    }

    func field(
        _ part: RecordPart, _ content: [UInt8], name: String = "", type: UInt32 = 0, isBinary: Bool = false,
        opens: UnmaskScope = .nothing
    ) -> Masked {
        let bytes = Array(name.utf8) + content
        var field = MaskField(part: part, range: name.utf8.count..<bytes.count, name: 0..<name.utf8.count)
        field.type = type
        field.isBinary = isBinary
        var scratch: [UInt8] = []
        var outcomes: [MaskOutcome] = []
        var counters = MaskCounters()
        let fields = [field]
        _ = unsafe profile.mask(
            fields.span, in: bytes.span.bytes, for: MaskRequest(opens: opens), into: &scratch, outcomes: &outcomes,
            counters: &counters)
        let outcome = outcomes.first ?? .dropRecord
        switch outcome {
        case .unchanged: return Masked(outcome: outcome, content: content)
        case .edited(let range): return Masked(outcome: outcome, content: Array(scratch[range]))
        case .null, .dropRecord: return Masked(outcome: outcome, content: nil)
        }
    }
}
