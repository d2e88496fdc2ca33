import Synchronization
import TidegateCore
import TidegateSchemas
import TidegateWire

/// How a key's or value's bytes are read.
enum Reading {
    /// JSON, behind the framing where there is one.
    case json(PartRules, from: Int)
    case text
    case schema(FieldPlans, from: Int)
    /// The registry is being asked.
    case pending
    /// Nobody says what it is.
    case unknown
}

/// What a schema is compiled to.
final class FieldPlans: Sendable {
    let values: SchemaPlan
    /// Finds whose dates are moved; nil where no rule asks.
    let subjects: SchemaPlan?

    init(_ values: SchemaPlan, subjects: SchemaPlan?) {
        self.values = values
        self.subjects = subjects
    }
}

/// How keys and values of one resource are read where files say so.
struct FileReadings {
    var key: Reading?
    var value: Reading?
}

/// Finds the schema of a field, and keeps what it was compiled to.
final class SchemaMasker: Sendable {
    private struct PlanKey: Hashable {
        var schema: ObjectIdentifier
        var message: Int
        var isKey: Bool
    }
    private enum Compiled {
        case plan(FieldPlans)
        case json(PartRules)
        case unusable
    }
    private struct File {
        var globs: [Glob]
        var part: RecordPart
        var schema: Schema
        var message: Int
    }
    /// A schema is kept with its plan, so that no other takes its identity.
    private let plans = Mutex<[PlanKey: (schema: Schema, compiled: Compiled)]>([:])
    private static let planLimit = 4096
    private let registry: SchemaRegistry?
    private let files: [File]
    private let format: MaskingFormat

    /// The registry that a profile names; nil where it names none.
    ///
    /// - Throws: what is wrong with it, as rule -1.
    static func registry(
        _ settings: MaskingProfileSettings, _ material: MaskingMaterial
    ) throws(MaskingSettingsErrors) -> SchemaRegistry? {
        guard let name = settings.registry else { return nil }
        func failure(_ message: String, _ suggestion: String) -> MaskingSettingsErrors {
            MaskingSettingsErrors([MaskingSettingsError(rule: -1, message: message, suggestion: suggestion)])
        }
        guard let known = material.registries[name] else {
            throw failure("there is no registry '\(name)'", "one of masking.registries")
        }
        do throws(SchemaError) {
            return try SchemaRegistry(known.settings)
        } catch {
            throw failure("registry '\(name)': \(error.message)", "a URL such as https://registry.example.com:8081")
        }
    }

    /// - Throws: files that hold no schema, as rule -1.
    init(_ settings: MaskingProfileSettings, _ registry: SchemaRegistry?) throws(MaskingSettingsErrors) {
        format = settings.format
        self.registry = registry
        var errors: [MaskingSettingsError] = []
        func fail(_ message: String, _ suggestion: String) {
            errors.append(MaskingSettingsError(rule: -1, message: message, suggestion: suggestion))
        }
        var files: [File] = []
        for file in settings.schemas {
            do throws(SchemaError) {
                let schema = try Schema(file: file.file)
                var message = 0
                if schema.format == .protobuf {
                    guard let name = file.message, let index = schema.message(named: name) else {
                        fail(
                            "\(file.file) has no message '\(file.message ?? "")'",
                            "message: the full name, package included")
                        continue
                    }
                    message = index
                }
                files.append(
                    File(globs: file.resources.map(Glob.init), part: file.part, schema: schema, message: message))
            } catch {
                fail("\(file.file): \(error.message)", "an .avsc, a .proto, a .json or a descriptor set")
            }
        }
        self.files = files
        if !errors.isEmpty { throw MaskingSettingsErrors(errors) }
    }

    /// Records may name their schema in a header.
    var hasRegistry: Bool { registry != nil }

    /// Has the call made again when what it asked for is there.
    func wait(_ answers: SchemaAnswers, _ request: MaskRequest) {
        if let registry { answers.wait(registry, wake: request.waker.wake) }
    }

    /// What files say of a resource's keys and values: asked once a call.
    func fileReadings(_ request: MaskRequest, _ rules: CompiledRules) -> FileReadings {
        var readings = FileReadings()
        if files.isEmpty { return readings }
        let name = String(decoding: request.resource, as: UTF8.self)
        for file in files where file.globs.contains(where: { $0.matches(name) }) {
            if file.part == .key, readings.key == nil {
                readings.key = reading(file.schema, file.message, from: 0, true, rules.keys)
            } else if file.part != .key, readings.value == nil {
                readings.value = reading(file.schema, file.message, from: 0, false, rules.values)
            }
        }
        return readings
    }

    /// - Parameters:
    ///   - header: the content of the record's header that names the schema.
    ///   - named: what files say of the resource.
    func reading(
        of content: RawSpan, header: RawSpan?, isKey: Bool, _ rules: CompiledRules, _ named: FileReadings,
        _ answers: inout SchemaAnswers
    ) -> Reading {
        let part = isKey ? rules.keys : rules.values
        switch format {
        case .text: return .text
        case .json: return .json(part, from: 0)
        case .auto, .avro, .protobuf: break
        }
        if let registry {
            if let header, let framing = RegistryFraming.parse(header) {
                return reading(framing, of: header, payloadStart: 0, isKey, part, registry, &answers)
            }
            if let framing = RegistryFraming.parse(content) {
                return reading(framing, of: content, payloadStart: nil, isKey, part, registry, &answers)
            }
        }
        if let named = isKey ? named.key : named.value { return named }
        guard format == .auto else { return .unknown }
        if part.tags.isEmpty { return .json(part, from: 0) }
        // No schema says what is tagged. A key of plain text has no fields, and mostly none.
        return isKey && SchemaMasker.isPlainText(content) ? .text : .unknown
    }

    /// True where the bytes are readable text that is no document.
    private static func isPlainText(_ content: RawSpan) -> Bool {
        var at = 0
        while let byte = content.byte(at: at) {
            if byte < 0x20, byte != 9, byte != 10, byte != 13 { return false }
            at += 1
        }
        return !NestedDocument.mayBe(content) && content.text(0..<content.byteCount) != nil
    }

    /// - Parameter payloadStart: nil where the payload follows the framing and its message indexes.
    private func reading(
        _ framing: RegistryFraming, of framed: RawSpan, payloadStart: Int?, _ isKey: Bool, _ part: PartRules,
        _ registry: SchemaRegistry, _ answers: inout SchemaAnswers
    ) -> Reading {
        switch answers.answer(framing.schema, registry) {
        case .pending: return .pending
        case .failed: return .unknown
        case .ready(let schema):
            guard schema.format == .protobuf else {
                return reading(schema, 0, from: payloadStart ?? framing.length, isKey, part)
            }
            guard let (path, end) = RegistryFraming.messagePath(framed, at: framing.length),
                let message = schema.message(at: path)
            else { return .unknown }
            return reading(schema, message, from: payloadStart ?? end, isKey, part)
        }
    }

    private func reading(_ schema: Schema, _ message: Int, from start: Int, _ isKey: Bool, _ part: PartRules) -> Reading
    {
        let key = PlanKey(schema: ObjectIdentifier(schema), message: message, isKey: isKey)
        let known = plans.withLock { $0[key]?.compiled }
        let compiled = known ?? compile(schema, message, part)
        if known == nil {
            plans.withLock { plans in
                if plans.count >= SchemaMasker.planLimit { plans.removeAll() }
                plans[key] = (schema, compiled)
            }
        }
        switch compiled {
        case .plan(let plan): return .schema(plan, from: start)
        case .json(let rules): return .json(rules, from: start)
        case .unusable: return .unknown
        }
    }

    private func compile(_ schema: Schema, _ message: Int, _ part: PartRules) -> Compiled {
        if schema.format == .jsonSchema {
            var paths = part.paths
            for tagged in schema.taggedPaths {
                for (tag, rule) in part.tags where tagged.tags.contains(tag) {
                    guard paths.add(FieldPath(tagged), rule: rule) else { return .unusable }
                }
            }
            return .json(part.adding(paths))
        }
        do throws(SchemaError) {
            let plan = try SchemaPlan.compile(schema, message: message, against: SchemaPlaces(part: part))
            if part.subjects.isEmpty { return .plan(FieldPlans(plan, subjects: nil)) }
            let subjects = try SchemaPlan.compile(
                schema, message: message, against: SubjectPlaces(subjects: part.subjects))
            return .plan(FieldPlans(plan, subjects: subjects))
        } catch {
            return .unusable
        }
    }
}

extension FieldPath {
    fileprivate init(_ tagged: TaggedPath) {
        segments = tagged.steps.map { step in
            switch step {
            case .property(let name): .key(name)
            case .anyProperty: .anyKey
            case .element: .anyIndex
            case .anyDepth: .anyDepth
            }
        }
    }
}

extension SchemaRegistrySettings {
    fileprivate var settings: RegistrySettings {
        var settings = RegistrySettings(url: url)
        settings.user = username
        settings.password = username == nil ? nil : String(decoding: password, as: UTF8.self)
        settings.caFile = tls?.ca
        settings.certificateFile = tls?.certificate
        settings.keyFile = tls?.key
        settings.maxAgeSeconds = Int64(maxAge)
        settings.refreshSeconds = min(settings.refreshSeconds, Int64(maxAge))
        return settings
    }
}
