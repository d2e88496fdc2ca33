import Foundation
import Testing
import TidegateCrypto

/// Signatures by keys that the `openssl` command made, so that RSA and Ed25519 are seen from another side.
@Suite struct SignatureAlgorithmTests {
    private func pem(_ arguments: String...) throws -> [UInt8] {
        let path = FileManager.default.temporaryDirectory.path + "/tidegate-key-\(UUID().uuidString).pem"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = ["genpkey", "-out", path] + arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return Array(try #require(FileManager.default.contents(atPath: path)))
    }

    /// The public half in DER (SubjectPublicKeyInfo).
    private func publicHalf(_ pem: [UInt8]) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = ["pkey", "-pubout", "-outform", "DER"]
        let (input, output) = (Pipe(), Pipe())
        (process.standardInput, process.standardOutput) = (input, output)
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data(pem))
        try input.fileHandleForWriting.close()
        let der = try #require(try output.fileHandleForReading.readToEnd())
        process.waitUntilExit()
        return Array(der)
    }

    private func holds(_ key: PublicKey, _ algorithm: SignatureAlgorithm, _ pem: [UInt8]) throws {
        let signer = try #require(SigningKey(pem: pem, algorithm: algorithm))
        let input = Array("header.payload".utf8)
        let signature = try #require(signer.sign(input))
        #expect(key.verify(algorithm, input: input, signature: signature))
        #expect(!key.verify(algorithm, input: input + [46], signature: signature))
        #expect(!key.verify(algorithm, input: input, signature: signature + [0]))
        #expect(!key.verify(algorithm, input: input, signature: []))
        for place in [0, signature.count / 2, signature.count - 1] {
            var changed = signature
            changed[place] ^= 1
            #expect(!key.verify(algorithm, input: input, signature: changed))
        }
        for other in SignatureAlgorithm.allCases where other != algorithm {
            #expect(!key.verify(other, input: input, signature: signature), "\(algorithm) passed as \(other)")
        }
    }

    @Test(arguments: [SignatureAlgorithm.rs256, .rs384, .rs512, .ps256, .ps384, .ps512])
    func `an RSA signature holds for its own algorithm only`(algorithm: SignatureAlgorithm) throws {
        let pem = try pem("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
        // The tail of the DER is the modulus of 256 bytes and the exponent 65537 with tag and length.
        let der = try publicHalf(pem)
        try #require(der.suffix(5) == [2, 3, 1, 0, 1])
        let key = try #require(PublicKey.rsa(modulus: Array(der.suffix(261).prefix(256)), exponent: [1, 0, 1]))
        try holds(key, algorithm, pem)
    }

    @Test(arguments: [(SignatureAlgorithm.es256, "P-256", 32), (.es384, "P-384", 48), (.es512, "P-521", 66)])
    func `an ECDSA signature holds for its own algorithm only`(
        algorithm: SignatureAlgorithm, curve: String, width: Int
    ) throws {
        let pem = try pem("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:\(curve)")
        let signer = try #require(SigningKey(pem: pem, algorithm: algorithm))
        let point = try #require(signer.coordinates)
        #expect(point.x.count == width)
        let key = try #require(PublicKey.ec(curve: curve, x: point.x, y: point.y))
        try holds(key, algorithm, pem)
        #expect(PublicKey.ec(curve: curve, x: point.y, y: point.x) == nil, "a point off the curve")
        #expect(PublicKey.ec(curve: curve, x: [0] + point.x, y: point.y) == nil)
    }

    @Test func `an Ed25519 signature holds for its own algorithm only`() throws {
        let pem = try pem("-algorithm", "ED25519")
        let key = try #require(PublicKey.ed25519(try publicHalf(pem).suffix(32)))
        try holds(key, .edDSA, pem)
    }

    @Test func `a key with a passphrase is refused, not asked for`() throws {
        let locked = try pem("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-aes128", "-pass", "pass:x")
        #expect(SigningKey(pem: locked, algorithm: .es256) == nil)
    }
}
