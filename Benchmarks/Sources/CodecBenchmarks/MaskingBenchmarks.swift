import TidegateCore
import TidegateDetection
import TidegateMasking
import TidegateTokens
import TidegateWire

/// The values of one batch under one profile, into a scratch that is kept.
final class MaskedBatch {
    let documents: [UInt8]
    private var fields: [MaskField] = []
    private let profile: MaskingProfile
    private var scratch: [UInt8] = []
    private var outcomes: [MaskOutcome] = []

    /// - Parameter edited: how many documents the profile must edit, so that nobody measures a mask that does nothing.
    init(_ profile: MaskingProfile, _ kind: Documents, editing edited: Int) {
        self.profile = profile
        var documents: [UInt8] = []
        for (number, document) in kind.all.enumerated() {
            let start = documents.count
            documents += document
            fields.append(MaskField(part: .value, record: UInt32(number), range: start..<documents.count))
        }
        self.documents = documents
        mask()
        let found = outcomes.count { if case .edited = $0 { true } else { false } }
        precondition(found == edited, "\(profile.name) edits \(found) documents of \(kind) instead of \(edited)")
    }

    func mask() {
        let documents = documents
        unsafe mask(documents.span.bytes)
    }

    /// Masks documents that lie as those of the batch do.
    func mask(_ documents: RawSpan) {
        scratch.removeAll(keepingCapacity: true)
        outcomes.removeAll(keepingCapacity: true)
        var counters = MaskCounters()
        let fields = fields
        let answered = profile.mask(
            fields.span, in: documents, for: MaskRequest(), into: &scratch, outcomes: &outcomes, counters: &counters)
        keep((answered ? 1 : 0) &+ Int(counters.maskedFields))
    }

    /// Appends what the last call made of the documents.
    func append(_ documents: RawSpan, to output: inout [UInt8]) {
        for index in fields.indices {
            switch outcomes[index] {
            case .edited(let range): output.append(contentsOf: scratch[range])
            default:
                unsafe documents.extracting(fields[index].range).withUnsafeBytes {
                    unsafe output.append(contentsOf: $0)
                }
            }
        }
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
    /// - Parameter prefix: where the documents stand: a stream's field and a dot.
    static func threePaths(below prefix: String = "") throws -> MaskingProfile {
        try profile(
            "3 paths",
            [
                (prefix + "payment.card.number", .keepLast(4)), (prefix + "customer.email", redact),
                (prefix + "shipping.address.street", redact),
            ])
    }

    /// Any depth must be looked at.
    static func anyDepth() throws -> MaskingProfile { try profile("a path of any depth", [("**.email", redact)]) }

    static func elements() throws -> MaskingProfile {
        try profile("elements of an array", [("items[*].sku", .nullify)])
    }

    static func nothing() throws -> MaskingProfile {
        try profile("a path that is not there", [("patient.name", redact)])
    }

    /// Everything that comes with the gateway.
    static func allDetectors() throws -> MaskingProfile {
        let rule = MaskingRule(.detectors(BuiltInDetector.allCases.map(\.rawValue)), action: redact)
        return try MaskingProfile(MaskingProfileSettings(name: "all detectors", rules: [rule]))
    }

    static func tokens() throws -> MaskingProfile {
        let token = MaskingAction.token(TokenSettings(key: "bench", domain: "email", form: .opaque))
        return try MaskingProfile(
            MaskingProfileSettings(
                name: "1 path, HMAC tokens", rules: [MaskingRule(field: "customer.email", action: token)]),
            MaskingMaterial(keys: ["bench": try benchKey()]))
    }
}

extension Suite {
    /// A profile over a batch.
    private func add(
        _ profile: MaskingProfile, _ kind: Documents, edited: Int, allocating allowed: Allocations = .none
    ) {
        let bytes = kind.all.reduce(0) { $0 + $1.count }
        add(
            "masking/\(profile.name), \(kind)", allocating: allowed, bytes: bytes, items: Documents.count,
            on: { MaskedBatch(profile, kind, editing: edited) }, { $0.mask() })
    }

    /// Path masking of orders of 667 bytes.
    func addMasking() throws {
        let all = Documents.count
        add(try Profiles.threePaths(), .orders, edited: all)
        add(try Profiles.anyDepth(), .orders, edited: all)
        add(try Profiles.elements(), .orders, edited: all)
        add(try Profiles.nothing(), .orders, edited: 0)
        add(try Profiles.tokens(), .orders, edited: all, allocating: .onePerItem)
    }

    /// Detectors over documents, and what they look for in a batch without a structure.
    func addDetection() throws {
        let profile = try Profiles.allDetectors()
        add(profile, .dense, edited: Documents.count, allocating: .onePerItem)
        add(profile, .orders, edited: Documents.count, allocating: .onePerItem)
        add(profile, .telemetry, edited: 0)
        add(profile, .prose, edited: 0)
        for kind in [Documents.telemetry, .prose] {
            let documents = kind.all.flatMap(\.self)
            let detectors = try DetectorSet(BuiltInDetector.allCases.map { .builtIn($0) })
            add(
                "detectors/may anything match, \(kind)", allocating: .none, bytes: documents.count,
                items: Documents.count,
                on: { DetectedBatch(detectors, kind) }, { $0.look() })
        }
    }
}

/// Documents that the detectors' first look finds nothing in.
final class DetectedBatch {
    private let documents: [[UInt8]]
    private let detectors: DetectorSet
    private var pass = DetectionPass()

    init(_ detectors: DetectorSet, _ kind: Documents) {
        self.detectors = detectors
        documents = kind.all
    }

    func look() {
        var found = 0
        for index in documents.indices {
            let document = documents[index]
            if unsafe detectors.mayMatch(document.span.bytes, &pass) { found += 1 }
        }
        keep(found)
    }
}
