import Foundation
import TestSupport
import Testing
import TidegateCrypto

/// AES-SIV, AES-GCM and the envelope that derives a key of its own.
@Suite struct EnvelopeTests {
    private func seal(_ cipher: SyntheticIV, _ text: [UInt8], behind prefix: [UInt8] = []) -> [UInt8] {
        var bytes = prefix + text
        cipher.seal(&bytes, from: prefix.count)
        return bytes
    }

    private func open(_ cipher: SyntheticIV, _ sealed: [UInt8]) -> [UInt8]? {
        var bytes = sealed
        return cipher.open(&bytes, from: 0) ? bytes : nil
    }

    /// RFC 5297, appendix A.1.
    @Test func `the deterministic example of RFC 5297 comes out`() throws {
        let cipher = try #require(
            SyntheticIV(
                key: CipherVectors.bytes("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"),
                associatedData: CipherVectors.bytes("101112131415161718191a1b1c1d1e1f2021222324252627")))
        let text = CipherVectors.bytes("112233445566778899aabbccddee")
        let expected = CipherVectors.bytes("85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c")
        #expect(seal(cipher, text) == expected)
        #expect(open(cipher, expected) == text)
    }

    @Test(.enabled(if: CipherVectors.has("aes_siv_cmac_test.json"), Comment(rawValue: CipherVectors.lacking)))
    func `Wycheproof's vectors of AES-SIV hold`() throws {
        var (valid, invalid) = (0, 0)
        for (_, test) in try CipherVectors.cases("aes_siv_cmac_test.json") {
            let name: Comment = "\(test["tcId"] ?? "") \(test["comment"] ?? "")"
            let cipher = try #require(
                SyntheticIV(
                    key: CipherVectors.bytes(test["key"]), associatedData: CipherVectors.bytes(test["aad"])), name)
            let (text, sealed) = (CipherVectors.bytes(test["msg"]), CipherVectors.bytes(test["ct"]))
            if test["result"] as? String == "valid" {
                valid += 1
                #expect(seal(cipher, text) == sealed, name)
                #expect(open(cipher, sealed) == text, name)
            } else {
                invalid += 1
                #expect(open(cipher, sealed) == nil, name)
            }
        }
        #expect(valid > 100)
        #expect(invalid > 300)
    }

    @Test(.enabled(if: CipherVectors.has("aes_gcm_test.json"), Comment(rawValue: CipherVectors.lacking)))
    func `Wycheproof's vectors of AES-256-GCM with nonces of 96 bits hold`() throws {
        let cipher = GaloisCounter()
        var (valid, invalid) = (0, 0)
        for (group, test) in try CipherVectors.cases("aes_gcm_test.json") {
            guard group["keySize"] as? Int == 256, group["ivSize"] as? Int == 96 else { continue }
            let name: Comment = "\(test["tcId"] ?? "") \(test["comment"] ?? "")"
            let (key, nonce) = (CipherVectors.bytes(test["key"]), CipherVectors.bytes(test["iv"]))
            let (text, associated) = (CipherVectors.bytes(test["msg"]), CipherVectors.bytes(test["aad"]))
            let (encrypted, tag) = (CipherVectors.bytes(test["ct"]), CipherVectors.bytes(test["tag"]))
            let opened = cipher.open(encrypted, nonce: nonce, tag: tag, key: key, associated: associated)
            if test["result"] as? String == "valid" {
                valid += 1
                #expect(opened == text, name)
                let sealed = cipher.seal(text, nonce: nonce, key: key, associated: associated)
                #expect(sealed == encrypted + tag, name)
            } else {
                invalid += 1
                #expect(opened == nil, name)
            }
        }
        #expect(valid > 30)
        #expect(invalid > 10)
    }

    /// The two vectors of C2SP's XAES-256-GCM, whose nonce is readable.
    @Test(arguments: [
        (UInt8(1), "", "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"),
        (UInt8(3), "c2sp.org/XAES-256-GCM", "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"),
    ])
    func `the vectors of XAES-256-GCM come out`(byte: UInt8, associated: String, expected: String) throws {
        let cipher = try #require(
            SealedEnvelope(key: [UInt8](repeating: byte, count: 32), associatedData: Array(associated.utf8)))
        var nonce = InlineArray<24, UInt8>(repeating: 0)
        for (index, letter) in "ABCDEFGHIJKLMNOPQRSTUVWX".utf8.enumerated() { nonce[index] = letter }
        var bytes = Array("?XAES-256-GCM".utf8)
        cipher.seal(&bytes, from: 1, nonce: nonce)
        #expect(bytes == Array("?ABCDEFGHIJKLMNOPQRSTUVWX".utf8) + CipherVectors.bytes(expected))
        #expect(cipher.open(&bytes, from: 1))
        #expect(bytes == Array("?XAES-256-GCM".utf8))
    }

    @Test func `every length comes back from behind what stands before it, and no changed byte does`() throws {
        let deterministic = try #require(
            SyntheticIV(key: [UInt8](repeating: 5, count: 64), associatedData: Array("orders".utf8)))
        let random = try #require(
            SealedEnvelope(key: [UInt8](repeating: 5, count: 32), associatedData: Array("orders".utf8)))
        let prefix = Array("before".utf8)
        for count in 0..<100 {
            let text = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 77 &+ count) }
            var first = prefix + text
            deterministic.seal(&first, from: prefix.count)
            #expect(first.count == prefix.count + count + SyntheticIV.overhead)
            var second = prefix + text
            random.seal(&second, from: prefix.count)
            #expect(second.count == prefix.count + count + SealedEnvelope.overhead)
            for index in stride(from: prefix.count, to: first.count, by: 7) {
                var changed = first
                changed[index] ^= 0x10
                #expect(!deterministic.open(&changed, from: prefix.count))
                #expect(changed == prefix)
            }
            for index in stride(from: prefix.count, to: second.count, by: 7) {
                var changed = second
                changed[index] ^= 0x10
                #expect(!random.open(&changed, from: prefix.count))
                #expect(changed == prefix)
            }
            #expect(deterministic.open(&first, from: prefix.count))
            #expect(first == prefix + text)
            #expect(random.open(&second, from: prefix.count))
            #expect(second == prefix + text)
        }
        for count in 0..<40 {
            var short = [UInt8](repeating: 0, count: count)
            #expect(!random.open(&short, from: 0))
            short = [UInt8](repeating: 0, count: min(count, 15))
            #expect(!deterministic.open(&short, from: 0))
        }
    }

    @Test func `sealing twice gives other bytes each time, deterministic sealing the same`() throws {
        let random = try #require(SealedEnvelope(key: [UInt8](repeating: 5, count: 32), associatedData: []))
        var (first, second) = (Array("value".utf8), Array("value".utf8))
        random.seal(&first, from: 0)
        random.seal(&second, from: 0)
        #expect(first != second)
        let deterministic = try #require(SyntheticIV(key: [UInt8](repeating: 5, count: 64), associatedData: [1]))
        #expect(seal(deterministic, Array("value".utf8)) == seal(deterministic, Array("value".utf8)))
        let other = try #require(SyntheticIV(key: [UInt8](repeating: 5, count: 64), associatedData: [2]))
        #expect(open(other, seal(deterministic, Array("value".utf8))) == nil)
        #expect(SyntheticIV(key: [UInt8](repeating: 5, count: 33), associatedData: []) == nil)
        #expect(SealedEnvelope(key: [UInt8](repeating: 5, count: 16), associatedData: []) == nil)
    }
}
