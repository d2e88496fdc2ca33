import Synchronization
import TidegateCore
import TidegateSchemas
import TidegateWire

/// How a key's or value's bytes are read.
enum Reading {
    case json(PartRules)
    case text
    case schema(SchemaPlan, from: Int)
    /// The registry is being asked.
    case pending
    /// Nobody says what it is.
    case unknown
}

/// Finds the schema of a field, and keeps what it was compiled to.
final class SchemaMasker: Sendable {
    private struct PlanKey: Hashable {
        var schema: ObjectIdentifier
        var message: Int
        var isKey: Bool
    }
    private enum Compiled {
        case plan(SchemaPlan)
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

    /// - Parameter header: the content of the record's header that names the schema.
    func reading(
        of content: RawSpan, header: RawSpan?, isKey: Bool, _ rules: CompiledRules, _ request: MaskRequest,
        _ answers: inout SchemaAnswers
    ) -> Reading {
        let part = isKey ? rules.keys : rules.values
        switch format {
        case .text: return .text
        case .json: return .json(part)
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
        if !files.isEmpty {
            let name = String(decoding: request.resource, as: UTF8.self)
            for file in files where (file.part == .key) == isKey && file.globs.contains(where: { $0.matches(name) }) {
                return reading(file.schema, file.message, from: 0, isKey, part)
            }
        }
        return format == .auto ? .json(part) : .unknown
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
        case .json(let rules): return start == 0 ? .json(rules) : .unknown
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
            return .plan(try SchemaPlan.compile(schema, message: message, against: SchemaPlaces(part: part)))
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
