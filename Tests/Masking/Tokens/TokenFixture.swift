import Testing
import TidegateTokens

/// Keys with secrets that differ by version and name, and tokens as text.
enum TokenFixture {
    static func secret(_ seed: Int) -> [UInt8] { (0..<32).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ seed &* 13) } }

    static func key(_ name: String = "customers", versions: [Int] = [1], seed: Int = 0) throws -> MaskingKey {
        try MaskingKey(
            name: name, versions: Dictionary(uniqueKeysWithValues: versions.map { ($0, secret($0 &+ 100 &* seed)) }))
    }

    static func tokenizer(
        _ form: TokenForm, domain: String = "customer", versions: [Int] = [1], _ normalisation: Normalisation = .none
    ) throws -> Tokenizer {
        try Tokenizer(key: key(versions: versions), domain: domain, form: form, normalisation: normalisation)
    }

    static let marked: [TokenForm] = [.opaque, .reversible, .sealed]
}

extension Tokenizer {
    /// The token, or nil; what stood before it must still stand there.
    func token(_ value: String) -> String? { token(Array(value.utf8)) }

    func token(_ value: [UInt8]) -> String? {
        written { append(value.span.bytes, to: &$0) }
    }

    func token(number: String) -> String? {
        let value = Array(number.utf8)
        return written { append(number: value.span.bytes, to: &$0) }
    }

    func knows(_ text: String) -> Bool { isToken(Array(text.utf8).span.bytes) }

    func opened(_ token: String, version: Int? = nil) -> (TokenOpening, String?) {
        let token = Array(token.utf8)
        var opening = TokenOpening.refused(.notAToken)
        let text = written {
            opening = open(token.span.bytes, version: version, to: &$0)
            return opening.version != nil
        }
        return (opening, text)
    }

    /// What a token opens to, which need not be text.
    func bytes(_ token: String) -> [UInt8]? {
        let token = Array(token.utf8)
        var output: [UInt8] = []
        return open(token.span.bytes, to: &output).version == nil ? nil : output
    }

    /// The value that a token opens to, or nil.
    func value(_ token: String, version: Int? = nil) -> String? { opened(token, version: version).1 }
}

extension TokenOpening {
    var version: Int? {
        if case .opened(let version) = self { return version }
        return nil
    }
}

/// What `write` appended behind other bytes, as text; nil where it said that it appended nothing. Records where that is
/// not so.
func written(_ write: (inout [UInt8]) -> Bool) -> String? {
    let before = Array("before".utf8)
    var output = before
    let isWritten = write(&output)
    #expect(Array(output.prefix(before.count)) == before)
    if !isWritten {
        #expect(output == before, "something was left behind")
        return nil
    }
    return String(validating: output.dropFirst(before.count), as: UTF8.self)
}
