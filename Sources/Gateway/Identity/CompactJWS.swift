import Foundation
import TidegateCrypto

/// A JSON web signature in compact form (RFC 7515), taken apart strictly and not verified yet.
struct CompactJWS {
    /// Bytes of a token; a longer one is not looked at.
    static let limit = 16 * 1024

    let algorithm: SignatureAlgorithm
    let keyID: String?
    let claims: JSONValue
    let signed: [UInt8]
    let signature: [UInt8]

    /// - Throws: what makes it no token that could be accepted.
    init(_ token: [UInt8]) throws(TokenRejection) {
        guard token.count <= CompactJWS.limit else { throw .tooLong }
        guard let text = String(validating: token, as: UTF8.self) else { throw .malformed("not text") }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3 else { throw .malformed("not three parts") }
        guard let headerBytes = Base64.decodeURL(parts[0]), let claimBytes = Base64.decodeURL(parts[1]),
            let signature = Base64.decodeURL(parts[2])
        else { throw .malformed("not base64url") }
        guard let header = JSONValue(headerBytes), case .object(let members) = header else {
            throw .malformed("the header is no JSON object")
        }
        // An extension that must be understood is not: RFC 7515, section 4.1.11; RFC 7797.
        guard members["crit"] == nil, members["b64"] == nil else { throw .malformed("an extension that is not understood") }
        if let type = members["typ"] {
            guard case .string(let name) = type, ["jwt", "at+jwt", "application/at+jwt", "jws"].contains(name.lowercased())
            else { throw .malformed("another type than JWT") }
        }
        guard case .string(let name)? = members["alg"], let algorithm = SignatureAlgorithm(rawValue: name) else {
            throw .algorithmNotAccepted
        }
        if let id = members["kid"] {
            guard case .string(let text) = id else { throw .malformed("kid is no text") }
            keyID = text
        } else {
            keyID = nil
        }
        guard let claims = JSONValue(claimBytes), case .object = claims else {
            throw .malformed("the claims are no JSON object")
        }
        self.algorithm = algorithm
        self.claims = claims
        self.signature = signature
        signed = Array("\(parts[0]).\(parts[1])".utf8)
    }
}

/// JSON at the edge, where a duplicate member is an error: two readers of one token must not see two things.
enum JSONValue: Equatable {
    case null
    case boolean(Bool)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// - Returns: nil where the bytes are not one JSON value, or hold a member twice.
    init?(_ bytes: [UInt8]) {
        guard let parsed = try? JSONSerialization.jsonObject(with: Data(bytes), options: [.fragmentsAllowed]),
            !DuplicateMembers.exist(in: bytes)
        else { return nil }
        self.init(parsed)
    }

    private init?(_ any: Any) {
        switch any {
        case is NSNull: self = .null
        case let number as NSNumber:
            self = number.isBoolean ? .boolean(number.boolValue) : .number(number.doubleValue)
        case let text as String: self = .string(text)
        case let list as [Any]: self = .array(list.compactMap { JSONValue($0) })
        case let members as [String: Any]: self = .object(members.compactMapValues { JSONValue($0) })
        default: return nil
        }
    }

    /// The value at a dotted path. A member whose own name has the dots is found too (`https://example.com/groups`).
    func value(at path: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        if let whole = members[path] { return whole }
        guard let dot = path.firstIndex(of: ".") else { return nil }
        return members[String(path[..<dot])]?.value(at: String(path[path.index(after: dot)...]))
    }

    /// Texts of a list, or of a text separated by spaces or commas.
    var texts: [String] {
        switch self {
        case .string(let text):
            text.split { $0 == " " || $0 == "," }.map(String.init)
        case .array(let values):
            values.compactMap {
                if case .string(let text) = $0 { text } else { nil }
            }
        case .null, .boolean, .number, .object: []
        }
    }
}

extension NSNumber {
    fileprivate var isBoolean: Bool { unsafe String(cString: objCType) == "c" }
}

/// Looks for a member that stands twice in one object of a valid JSON text.
private enum DuplicateMembers {
    static func exist(in bytes: [UInt8]) -> Bool {
        var names: [Set<[UInt8]>] = []
        var isObject: [Bool] = []
        var expectsName = false
        var at = 0
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "{"):
                names.append([])
                isObject.append(true)
                expectsName = true
            case UInt8(ascii: "["):
                names.append([])
                isObject.append(false)
                expectsName = false
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                _ = names.popLast()
                _ = isObject.popLast()
                expectsName = false
            case UInt8(ascii: ","): expectsName = isObject.last ?? false
            case UInt8(ascii: "\""):
                let start = at + 1
                at = start
                while at < bytes.count, bytes[at] != UInt8(ascii: "\"") {
                    at += bytes[at] == UInt8(ascii: "\\") ? 2 : 1
                }
                if expectsName, !names.isEmpty {
                    let raw = Array(bytes[start..<min(at, bytes.count)])
                    // An escape could spell a name twice in two ways: no token needs one in a member's name.
                    if raw.contains(UInt8(ascii: "\\")) || !names[names.count - 1].insert(raw).inserted { return true }
                    expectsName = false
                }
            default: break
            }
            at += 1
        }
        return false
    }
}
