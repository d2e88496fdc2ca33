import TidegateCrypto

/// SCRAM as a client (RFC 5802, RFC 7677), for the gateway's own log-in at a broker. Channel binding is not offered.
struct ScramClient {
    let hash: HashAlgorithm
    private let nonce: String
    private let firstBare: String
    private var serverFirst = ""
    private(set) var expectedSignature: [UInt8] = []

    struct Challenge {
        var nonce: String
        var salt: [UInt8]
        var iterations: Int
        var text: String
    }

    init(hash: HashAlgorithm, username: String, nonce: String? = nil) {
        self.hash = hash
        self.nonce = nonce ?? Base64.encode(Random.bytes(18))
        let name = username.split(separator: "=", omittingEmptySubsequences: false).joined(separator: "=3D")
            .split(separator: ",", omittingEmptySubsequences: false).joined(separator: "=2C")
        firstBare = "n=\(name),r=\(self.nonce)"
    }

    /// The client's first message.
    var first: [UInt8] { Array("n,,\(firstBare)".utf8) }

    /// Reads the server's first message.
    ///
    /// - Returns: nil where it is malformed, answers another nonce, or asks for fewer than 4096 iterations (RFC 7677) or
    ///   for more than a log-in should cost.
    mutating func challenge(_ message: [UInt8]) -> Challenge? {
        guard let text = String(validating: message, as: UTF8.self) else { return nil }
        let fields = ScramClient.fields(text)
        guard let nonce = fields["r"], nonce.hasPrefix(self.nonce), nonce.utf8.count > self.nonce.utf8.count,
            let salt = fields["s"].flatMap({ Base64.decode($0) }), !salt.isEmpty,
            let iterations = fields["i"].flatMap({ Int($0) }), (4096...1_000_000).contains(iterations)
        else { return nil }
        return Challenge(nonce: nonce, salt: salt, iterations: iterations, text: text)
    }

    /// The client's final message, with its proof.
    mutating func final(_ challenge: Challenge, salted: [UInt8]) -> [UInt8] {
        let withoutProof = "c=biws,r=\(challenge.nonce)"
        let signed = Array("\(firstBare),\(challenge.text),\(withoutProof)".utf8)
        let clientKey = hash.authenticate(Array("Client Key".utf8), key: salted)
        let signature = hash.authenticate(signed, key: hash.hash(clientKey))
        let proof = zip(clientKey, signature).map { $0 ^ $1 }
        let serverKey = hash.authenticate(Array("Server Key".utf8), key: salted)
        expectedSignature = hash.authenticate(signed, key: serverKey)
        return Array("\(withoutProof),p=\(Base64.encode(proof))".utf8)
    }

    /// True where the server's final message proves that it knows the password too.
    func verify(_ message: [UInt8]) -> Bool {
        guard let text = String(validating: message, as: UTF8.self),
            let signature = ScramClient.fields(text)["v"].flatMap({ Base64.decode($0) }), !signature.isEmpty
        else { return false }
        return equalInConstantTime(signature, expectedSignature)
    }

    private static func fields(_ text: String) -> [String: String] {
        var fields: [String: String] = [:]
        for part in text.split(separator: ",") {
            guard let mark = part.firstIndex(of: "=") else { continue }
            fields[String(part[..<mark])] = String(part[part.index(after: mark)...])
        }
        return fields
    }
}
