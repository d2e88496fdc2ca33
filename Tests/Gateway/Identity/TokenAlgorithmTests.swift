import Foundation
import Testing
import TidegateCore
import TidegateCrypto
import TidegateIdentity

/// Tokens of keys that the `openssl` command made, through the key set and the verifier.
@Suite struct TokenAlgorithmTests {
    private func openssl(_ arguments: [String], input: [UInt8] = []) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        let (given, made) = (Pipe(), Pipe())
        (process.standardInput, process.standardOutput) = (given, made)
        process.standardError = FileHandle.nullDevice
        try process.run()
        try given.fileHandleForWriting.write(contentsOf: Data(input))
        try given.fileHandleForWriting.close()
        let output = try made.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Array(output)
    }

    private func answer(
        _ algorithm: SignatureAlgorithm, _ pem: [UInt8], _ members: String
    ) async throws -> Result<Principal, TokenRejection> {
        let issuer = IssuerFixture(keys: [])
        let signer = try #require(SigningKey(pem: pem, algorithm: algorithm))
        let set = Array(#"{"keys":[{"kid":"one",\#(members)}]}"#.utf8)
        let verifier = TokenVerifier(
            [IssuerSettings(issuer: IssuerFixture.name, audience: "tidegate", keys: .url("https://a/keys"))],
            log: Log(minimum: .error, sink: { _ in }), clock: { issuer.now }, fetch: { _ in set })
        let header = #"{"alg":"\#(algorithm.rawValue)","kid":"one","typ":"application/jwt"}"#
        return await outcome(verifier, try compact(header, issuer.claims(), signer))
    }

    private func rsa(_ bits: Int) throws -> (pem: [UInt8], modulus: [UInt8]) {
        let pem = try openssl(["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:\(bits)"])
        // The tail of the DER is the modulus and the exponent 65537 with tag and length.
        let der = try openssl(["pkey", "-pubout", "-outform", "DER"], input: pem)
        return (pem, Array(der.suffix(bits / 8 + 5).prefix(bits / 8)))
    }

    @Test(arguments: [SignatureAlgorithm.rs256, .ps256])
    func `a token of an RSA key is accepted, and not of one that is short or signs nothing`(
        algorithm: SignatureAlgorithm
    ) async throws {
        let key = try rsa(2048)
        let n = Base64.encodeURL(key.modulus)
        let found = try await answer(algorithm, key.pem, #""kty":"RSA","n":"\#(n)","e":"AQAB""#).get()
        #expect(found.subject == "ana")
        let one = try await answer(algorithm, key.pem, #""kty":"RSA","n":"\#(n)","e":"AQ""#)
        #expect(one == .failure(.unknownKey))
        let short = try rsa(1024)
        let modulus = Base64.encodeURL(short.modulus)
        let few = try await answer(algorithm, short.pem, #""kty":"RSA","n":"\#(modulus)","e":"AQAB""#)
        #expect(few == .failure(.unknownKey))
    }

    @Test func `a token of an Ed25519 key is accepted`() async throws {
        let pem = try openssl(["genpkey", "-algorithm", "ED25519"])
        let der = try openssl(["pkey", "-pubout", "-outform", "DER"], input: pem)
        let x = Base64.encodeURL(Array(der.suffix(32)))
        let found = try await answer(.edDSA, pem, #""kty":"OKP","crv":"Ed25519","x":"\#(x)""#).get()
        #expect(found.subject == "ana")
    }
}
