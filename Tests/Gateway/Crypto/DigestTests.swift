import Testing
import TidegateCrypto

@Suite struct DigestTests {
    @Test func `SHA-256 of FIPS 180-4's example`() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        #expect(Hexadecimal.encode(HashAlgorithm.sha256.hash(Array("abc".utf8))) == expected)
        #expect(
            Hexadecimal.encode(HashAlgorithm.sha256.hash([]))
                == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test func `HMAC of RFC 4231, case 2`() {
        let (key, message) = (Array("Jefe".utf8), Array("what do ya want for nothing?".utf8))
        #expect(
            Hexadecimal.encode(HashAlgorithm.sha256.authenticate(message, key: key))
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        #expect(
            Hexadecimal.encode(HashAlgorithm.sha512.authenticate(message, key: key)).hasPrefix(
                "164b7a7bfcf819e2e395fbe7"))
    }

    @Test func `PBKDF2 of RFC 7914, section 11`() {
        let derived = HashAlgorithm.sha256.derive(Array("passwd".utf8), salt: Array("salt".utf8), iterations: 1)
        #expect(Hexadecimal.encode(derived) == "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc")
    }

    @Test func `bytes are compared whole`() {
        #expect(equalInConstantTime([1, 2], [1, 2]))
        #expect(!equalInConstantTime([1, 2], [1, 3]))
        #expect(!equalInConstantTime([1, 2], [1]))
        #expect(equalInConstantTime([], []))
    }
}
