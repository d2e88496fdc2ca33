import TidegateCore
import TidegateMasking

/// The values of one batch under one profile, into a scratch that is kept.
final class MaskedBatch {
    private let documents: [UInt8]
    private var fields: [MaskField] = []
    private let profile: MaskingProfile
    private var scratch: [UInt8] = []
    private var outcomes: [MaskOutcome] = []
    private let request = MaskRequest()

    static let count = 96
    static let bytes = count * 667

    /// - Parameter edited: how many documents the profile must edit, so that nobody measures a mask that does nothing.
    init(_ profile: MaskingProfile, editing edited: Int) {
        self.profile = profile
        documents = Orders.documents(MaskedBatch.count)
        for number in 0..<MaskedBatch.count {
            fields.append(
                MaskField(part: .value, record: UInt32(number), range: number * 667..<(number + 1) * 667))
        }
        mask()
        let found = outcomes.count { if case .edited = $0 { true } else { false } }
        precondition(found == edited, "\(profile.name) edits \(found) documents instead of \(edited)")
    }

    func mask() {
        scratch.removeAll(keepingCapacity: true)
        outcomes.removeAll(keepingCapacity: true)
        var counters = MaskCounters()
        let documents = documents
        let fields = fields
        let answered = unsafe profile.mask(
            fields.span, in: documents.span.bytes, for: MaskRequest(), into: &scratch, outcomes: &outcomes, counters: &counters)
        keep((answered ? 1 : 0) &+ Int(counters.maskedFields))
    }
}

/// Profiles of the kinds that are measured.
enum Profiles {
    private static func profile(_ name: String, _ rules: [(String, MaskingAction)]) throws -> MaskingProfile {
        try MaskingProfile(
            MaskingProfileSettings(name: name, rules: rules.map { MaskingRule(field: $0.0, action: $0.1) }))
    }

    private static let redact = MaskingAction.redact("[redacted]")

    /// What the end-to-end benchmark masks.
    static func threePaths() throws -> MaskingProfile {
        try profile(
            "3 paths",
            [("payment.card.number", .keepLast(4)), ("customer.email", redact), ("shipping.address.street", redact)])
    }

    /// Any depth must be looked at.
    static func anyDepth() throws -> MaskingProfile { try profile("a path of any depth", [("**.email", redact)]) }

    static func elements() throws -> MaskingProfile {
        try profile("elements of an array", [("items[*].sku", .nullify)])
    }

    static func nothing() throws -> MaskingProfile {
        try profile("a path that is not there", [("patient.name", redact)])
    }
}

extension Suite {
    /// Path masking of orders of 667 bytes.
    func addMasking() throws {
        let all = MaskedBatch.count
        let profiles = [
            (try Profiles.threePaths(), all), (try Profiles.anyDepth(), all), (try Profiles.elements(), all),
            (try Profiles.nothing(), 0),
        ]
        for (profile, edited) in profiles {
            add(
                "masking/\(profile.name), orders of 667 bytes", allocating: .none, bytes: MaskedBatch.bytes,
                items: MaskedBatch.count, on: { MaskedBatch(profile, editing: edited) }, { $0.mask() })
        }
    }
}
