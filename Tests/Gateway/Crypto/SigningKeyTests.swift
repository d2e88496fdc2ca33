import Foundation
import Testing
import TidegateCrypto

@Suite struct SigningKeyTests {
    @Test func `what a key signs, its public key verifies, and no other algorithm does`() throws {
        let key = try #require(SigningKey())
        let point = try #require(key.coordinates)
        let shown = try #require(PublicKey.ec(curve: "P-256", x: point.x, y: point.y))
        let input = Array("a.b".utf8)
        let signature = try #require(key.sign(input))
        for algorithm in SignatureAlgorithm.allCases {
            #expect(shown.verify(algorithm, input: input, signature: signature) == (algorithm == .es256))
        }
        #expect(!shown.verify(.es256, input: input + [0], signature: signature))
        #expect(!shown.verify(.es256, input: input, signature: signature + [0]))
        #expect(!shown.verify(.es256, input: input, signature: signature.dropLast()))
        #expect(!shown.verify(.es256, input: input, signature: [UInt8](repeating: 0, count: 64)))
    }

    @Test func `a key survives its PEM file`() throws {
        let key = try #require(SigningKey())
        let read = try #require(SigningKey(pem: key.pem, algorithm: .es256))
        #expect(read.coordinates?.x == key.coordinates?.x)
        #expect(SigningKey(pem: Array("no key".utf8), algorithm: .es256) == nil)
    }

    @Test func `a point off the curve, of another length or of an unknown curve is no key`() throws {
        let key = try #require(SigningKey())
        let point = try #require(key.coordinates)
        var wrong = point.y
        wrong[31] ^= 1
        #expect(PublicKey.ec(curve: "P-256", x: point.x, y: wrong) == nil)
        #expect(PublicKey.ec(curve: "P-256", x: point.x, y: point.y.dropLast()) == nil)
        #expect(PublicKey.ec(curve: "P-384", x: point.x, y: point.y) == nil)
        #expect(PublicKey.ec(curve: "secp256k1", x: point.x, y: point.y) == nil)
        #expect(PublicKey.ed25519([UInt8](repeating: 1, count: 31)) == nil)
    }

    @Test func `an RSA key of few bits, or with an exponent that is even or one, is no key`() {
        let modulus = [0xC0] + [UInt8](repeating: 0x5B, count: 255)
        #expect(PublicKey.rsa(modulus: modulus, exponent: [1, 0, 1]) != nil)
        #expect(PublicKey.rsa(modulus: Array(modulus.dropLast()), exponent: [1, 0, 1]) == nil)
        #expect(PublicKey.rsa(modulus: [0x7F] + modulus.dropFirst(), exponent: [1, 0, 1]) == nil)
        for exponent: [UInt8] in [[], [0], [1], [2], [1, 0, 0], [UInt8](repeating: 1, count: 9)] {
            #expect(PublicKey.rsa(modulus: modulus, exponent: exponent) == nil)
        }
    }
}
