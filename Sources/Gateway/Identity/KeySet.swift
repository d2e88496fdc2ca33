package import TidegateCrypto

/// A JSON web key set (RFC 7517): the keys in it that verify signatures.
package struct KeySet: Sendable {
    struct Key: Sendable {
        var id: String?
        /// The one algorithm the key is for, where it says so.
        var algorithm: String?
        var key: PublicKey
        /// A digest of the key's own numbers.
        var fingerprint: [UInt8]
    }
    var keys: [Key]
    /// How many keys can verify signatures; a set without any accepts no token.
    package var usableKeys: Int { keys.count }

    /// Keys that are not for signatures, or of a kind that is not known, are passed over.
    ///
    /// - Returns: nil where the bytes are no key set.
    package init?(_ bytes: [UInt8]) {
        guard let document = JSONValue(bytes), case .array(let list)? = document.value(at: "keys") else { return nil }
        keys = list.prefix(64).compactMap { KeySet.key($0) }
    }

    static func key(_ value: JSONValue) -> Key? {
        func text(_ name: String) -> String? {
            if case .object(let members) = value, case .string(let text)? = members[name] { return text }
            return nil
        }
        func bytes(_ name: String) -> [UInt8]? { text(name).flatMap { Base64.decodeURL($0) } }
        guard case .object(let members) = value else { return nil }
        // A member of another type than text is not read as absent: the key is not understood.
        if members["use"] != nil, text("use") != "sig" { return nil }
        for name in ["alg", "kid"] where members[name] != nil && text(name) == nil { return nil }
        if let operations = members["key_ops"] {
            guard case .array(let list) = operations, list.contains(.string("verify")) else { return nil }
        }
        let key: PublicKey?
        switch text("kty") {
        case "RSA":
            guard let modulus = bytes("n"), let exponent = bytes("e") else { return nil }
            key = .rsa(modulus: modulus, exponent: exponent)
        case "EC":
            guard let curve = text("crv"), let x = bytes("x"), let y = bytes("y") else { return nil }
            key = .ec(curve: curve, x: x, y: y)
        case "OKP":
            guard text("crv") == "Ed25519", let x = bytes("x") else { return nil }
            key = .ed25519(x)
        default: return nil
        }
        let numbers = ["kty", "crv", "n", "e", "x", "y"].map { text($0) ?? "" }.joined(separator: "|")
        let fingerprint = HashAlgorithm.sha256.hash(Array(numbers.utf8))
        return key.map { Key(id: text("kid"), algorithm: text("alg"), key: $0, fingerprint: fingerprint) }
    }

    /// The keys that may have signed: of that id, of a kind that fits, at most a few.
    package func candidates(_ algorithm: SignatureAlgorithm, id: String?) -> [PublicKey] {
        fitting(algorithm, id: id).map(\.key)
    }

    func fitting(_ algorithm: SignatureAlgorithm, id: String?) -> [Key] {
        keys.filter { key in
            key.key.fits(algorithm) && (key.algorithm == nil || key.algorithm == algorithm.rawValue)
                && (id == nil || key.id == id)
        }.prefix(8).map { $0 }
    }
}
