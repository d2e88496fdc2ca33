import Testing
import TidegateCrypto

@Suite struct Base64Tests {
    /// RFC 4648, section 10.
    static let vectors = [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ]

    @Test(arguments: vectors)
    func `the vectors of RFC 4648 hold in both directions`(plain: String, encoded: String) {
        #expect(Base64.encode(Array(plain.utf8)) == encoded)
        #expect(Base64.decode(encoded) == Array(plain.utf8))
        let unpadded = encoded.filter { $0 != "=" }
        #expect(Base64.encodeURL(Array(plain.utf8)) == unpadded)
        #expect(Base64.decodeURL(unpadded) == Array(plain.utf8))
    }

    @Test func `every length and every byte comes back`() {
        for count in 0..<300 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 151 &+ count) }
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
            #expect(Base64.decodeURL(Base64.encodeURL(bytes)) == bytes)
            #expect(Hexadecimal.encode(bytes).count == 2 * count)
        }
    }

    @Test func `each alphabet has its own last two digits`() {
        #expect(Base64.encode([0xFB, 0xFF]) == "+/8=")
        #expect(Base64.encodeURL([0xFB, 0xFF]) == "-_8")
        #expect(Base64.decode("-_8=") == nil)
        #expect(Base64.decodeURL("+/8") == nil)
    }

    @Test(arguments: [
        "Zg", "Zg=", "Zg===", "=", "==", "====", "Z===", "Zh==", "Zm9=", "Zm9v=", "Zm9v====", " Zg==", "Zg== ",
        "Zm9v\n",
        "Zm=v", "Zm9vZ", "Zé==", "Zm9\0",
    ])
    func `what is not canonical base64 is refused`(text: String) { #expect(Base64.decode(text) == nil) }

    @Test(arguments: ["Zg==", "Zh", "Zm9", "Z", "Zm8=", "Zm9v ", " Zm9v", "Zm9v\n", "Zm?v", "Zm9vZ", "Zm9vé"])
    func `what is not canonical base64url is refused`(text: String) {
        if text == "Zm9" { return #expect(Base64.decodeURL(text) == nil, "its unused bits are not zero") }
        #expect(Base64.decodeURL(text) == nil)
    }

    @Test func `hexadecimal is in lower case`() {
        #expect(Hexadecimal.encode([0x00, 0x0F, 0xA5, 0xFF]) == "000fa5ff")
        #expect(Hexadecimal.encode([]) == "")
    }
}
