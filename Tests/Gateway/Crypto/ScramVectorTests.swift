import Testing
import TidegateCrypto

/// The keys of SCRAM, computed from what `HashAlgorithm` offers.
@Suite struct ScramVectorTests {
    @Test func `the example of RFC 7677 comes out, client's proof and server's signature`() throws {
        let hash = HashAlgorithm.sha256
        let salt = try #require(Base64.decode("W22ZaJ0SNY7soEsUEjb6gQ=="))
        let message =
            "n=user,r=rOprNGfwEbeRWgbNEkqO,"
            + "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
            + "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
        let salted = hash.derive(Array("pencil".utf8), salt: salt, iterations: 4096)
        let clientKey = hash.authenticate(Array("Client Key".utf8), key: salted)
        let signature = hash.authenticate(Array(message.utf8), key: hash.hash(clientKey))
        let proof = zip(clientKey, signature).map { $0 ^ $1 }
        #expect(Base64.encode(proof) == "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
        let serverKey = hash.authenticate(Array("Server Key".utf8), key: salted)
        let verifier = hash.authenticate(Array(message.utf8), key: serverKey)
        #expect(Base64.encode(verifier) == "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
    }

    /// RFC 4231, cases 1, 3 and 6: a short key, data of one byte repeated, a key longer than the block.
    @Test(arguments: [
        (
            [UInt8](repeating: 0x0B, count: 20), Array("Hi There".utf8),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            [UInt8](repeating: 0xAA, count: 20), [UInt8](repeating: 0xDD, count: 50),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
        ),
        (
            [UInt8](repeating: 0xAA, count: 131), Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
    ])
    func `HMAC with SHA-256 is that of RFC 4231`(key: [UInt8], message: [UInt8], expected: String) {
        #expect(Hexadecimal.encode(HashAlgorithm.sha256.authenticate(message, key: key)) == expected)
    }

    @Test func `random bytes are as many as asked for, and not the same twice`() {
        #expect(Random.bytes(0) == [])
        #expect(Random.bytes(32).count == 32)
        #expect(Random.bytes(32) != Random.bytes(32))
    }
}
