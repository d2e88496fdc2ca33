import TidegateHTTP

/// Asks a registry for a schema with all that it refers to.
struct RegistryFetch: Sendable {
    typealias Get = @Sendable (String) async throws -> HTTPClient.Answer

    /// Schemas that one schema may refer to, directly or not.
    static let referenceLimit = 64

    enum Outcome: Sendable {
        case found(Schema.Format, text: [UInt8], references: [Schema.Source], tags: [String: [String]])
        /// It does not exist, or is none: asking again soon is of no use.
        case refused(SchemaError)
        /// The registry answers, but not with a schema.
        case unreachable(SchemaError)
        /// Nobody answers, whatever is asked.
        case silent(SchemaError)
    }

    let base: String
    let get: Get

    func fetch(_ key: SchemaKey) async -> Outcome {
        let path: String
        switch key {
        case .id(let id): path = "/schemas/ids/\(id)"
        case .guid: path = "/schemas/guids/\(key.guidText ?? "")"
        }
        do throws(Stop) {
            let root = try await ask(path)
            var collected = References()
            try await collect(root, into: &collected, depth: 0)
            do throws(SchemaError) {
                return .found(
                    try root.format(), text: Array(root.schema.utf8), references: collected.sources,
                    tags: root.metadata?.tags ?? [:])
            } catch {
                return .refused(error)
            }
        } catch {
            switch error {
            case .refused(let reason): return .refused(reason)
            case .unreachable(let reason): return .unreachable(reason)
            case .silent(let reason): return .silent(reason)
            }
        }
    }

    private enum Stop: Error {
        case refused(SchemaError)
        case unreachable(SchemaError)
        case silent(SchemaError)
    }

    private struct References {
        /// Each behind what it refers to itself.
        var sources: [Schema.Source] = []
        /// By name: subject and version.
        var known: [String: String] = [:]
    }

    private func collect(_ answer: RegistryAnswer, into result: inout References, depth: Int) async throws(Stop) {
        for reference in answer.references ?? [] {
            let origin = "\(reference.version) of \(reference.subject)"
            if let known = result.known[reference.name] {
                guard known == origin else {
                    throw .refused(SchemaError("two schemas are referred to as '\(reference.name)'"))
                }
                continue
            }
            guard result.known.count < RegistryFetch.referenceLimit, depth < RegistryFetch.referenceLimit else {
                throw .refused(SchemaError("the schema refers to too many others"))
            }
            result.known[reference.name] = origin
            // A schema outlives its subject's deletion, and so do those that it refers to.
            let path =
                "/subjects/\(RegistryFetch.encoded(reference.subject))/versions/\(reference.version)?deleted=true"
            let inner = try await ask(path)
            try await collect(inner, into: &result, depth: depth + 1)
            result.sources.append(Schema.Source(name: reference.name, text: Array(inner.schema.utf8)))
        }
    }

    private func ask(_ path: String) async throws(Stop) -> RegistryAnswer {
        let answer: HTTPClient.Answer
        do { answer = try await get(base + path) } catch {
            throw .silent(SchemaError("the registry cannot be reached: \(error)"))
        }
        switch answer.status {
        case 200:
            do throws(SchemaError) { return try RegistryAnswer.parse(answer.body) } catch { throw .refused(error) }
        case 404: throw .refused(SchemaError("the registry has no \(path)"))
        default: throw .unreachable(SchemaError("the registry answers \(path) with status \(answer.status)"))
        }
    }

    /// A segment of a path: all but letters, digits and `-._~` is escaped (RFC 3986, 2.3).
    static func encoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            let scalar = Unicode.Scalar(byte)
            let isPlain = scalar.isASCII && (scalar.properties.isAlphabetic || byte >= 0x30 && byte <= 0x39)
            if isPlain || "-._~".unicodeScalars.contains(scalar) {
                result.unicodeScalars.append(scalar)
            } else {
                result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return result
    }
}
