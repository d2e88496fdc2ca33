import Testing
import TidegateTokens

@Suite struct MaskingKeyTests {
    private func refusal(_ name: String, _ versions: [Int: [UInt8]]) -> String? {
        do throws(TokenSettingsError) {
            _ = try MaskingKey(name: name, versions: versions)
            return nil
        } catch { return error.message }
    }

    @Test func `what is wrong with a key is said, and nothing of its secret`() {
        let secret = TokenFixture.secret(1)
        #expect(refusal("k", [1: secret]) == nil)
        #expect(refusal("", [1: secret]) == "a masking key has no name")
        #expect(refusal("k", [:]) == "masking key 'k' has no version")
        #expect(refusal("k", [0: secret]) == "masking key 'k' has version 0")
        #expect(refusal("k", [-3: secret]) == "masking key 'k' has version -3")
        #expect(refusal("k", [1_000_000: secret]) == "masking key 'k' has version 1000000")
        #expect(
            refusal("k", [2: Array(secret.dropLast())]) == "version 2 of masking key 'k' has 31 bytes, fewer than 32")
        #expect(
            refusal("k", [1: [UInt8](repeating: 65, count: 64)])
                == "version 1 of masking key 'k' repeats a few bytes and could be guessed")
        #expect(refusal("k", [1: secret, 4: secret]) == "versions 1 and 4 of masking key 'k' have the same secret")
    }

    @Test func `a key is printed without its secrets, however it is printed`() throws {
        let key = try MaskingKey(name: "customers", versions: [1: Array("correct horse battery staple 123".utf8)])
        var dumped = ""
        dump(key, to: &dumped)
        for text in [
            "\(key)", String(reflecting: key), "\([key])", dumped, "\(Array(Mirror(reflecting: key).children))",
        ] {
            #expect(text.contains("customers"))
            #expect(!text.contains("correct"))
            #expect(!text.contains("99"), "the byte of c")
            #expect(!text.contains("114"), "the byte of r")
        }
    }

    @Test func `the newest version comes first`() throws {
        #expect(try TokenFixture.key(versions: [2, 10, 1]).versions == [10, 2, 1])
    }
}
