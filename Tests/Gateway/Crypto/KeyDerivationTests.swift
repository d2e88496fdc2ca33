import Testing
import TidegateCrypto

@Suite struct KeyDerivationTests {
    /// RFC 5869, appendix A, test cases 1 to 3.
    @Test(arguments: [
        (
            [UInt8](repeating: 0x0b, count: 22), [UInt8](0...0x0c), [UInt8](0xf0...0xf9),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
        ),
        (
            [UInt8](0...0x4f), [UInt8](0x60...0xaf), [UInt8](0xb0...0xff),
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
                + "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"
        ),
        (
            [UInt8](repeating: 0x0b, count: 22), [], [],
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
        ),
    ])
    func `HKDF with SHA-256 is that of RFC 5869`(secret: [UInt8], salt: [UInt8], info: [UInt8], expected: String) {
        let key = KeyDerivation.hkdf(secret: secret, salt: salt, info: info, count: expected.utf8.count / 2)
        #expect(Hexadecimal.encode(key) == expected)
    }

    @Test func `many short messages get the codes that HMAC gives one by one, from several threads at once`() async {
        let key = Array("a key".utf8)
        let authenticator = MessageAuthenticator(key: key)
        let agree = await withTaskGroup(of: Bool.self) { group in
            for task in 0..<8 {
                group.addTask {
                    (0..<300).allSatisfy { index in
                        let message = [UInt8](repeating: UInt8(task), count: index)
                        let code = authenticator.authenticate(message.span.bytes)
                        return HashAlgorithm.sha256.authenticate(message, key: key) == (0..<32).map { code[$0] }
                    }
                }
            }
            return await group.allSatisfy { $0 }
        }
        #expect(agree)
        let long = [UInt8](repeating: 3, count: 131)
        let code = MessageAuthenticator(key: long).authenticate(key.span.bytes)
        #expect(HashAlgorithm.sha256.authenticate(key, key: long) == (0..<32).map { code[$0] })
    }

    @Test func `a secret is not printed`() {
        let secret = Secret(Array("hunter2hunter2".utf8))
        #expect(secret.count == 14)
        #expect(secret.bytes == Array("hunter2hunter2".utf8))
        for text in ["\(secret)", String(reflecting: secret), String(describing: [secret])] {
            #expect(!text.contains("104"))
            #expect(!text.contains("hunter"))
        }
    }
}
