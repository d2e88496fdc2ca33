import Foundation
import Testing
import TidegateIdentity

@Suite struct JSONValueTests {
    @Test(arguments: [
        (#"{"a":[1,-2.5e1,true,null,"\u00e9\ud83d\ude00\/"]}"#, true), ("{}", true), (" [ ] ", true), ("0", true),
        ("01", false), ("+1", false), ("1.", false), (".5", false), ("1e999", false), ("NaN", false), ("[1,]", false),
        ("{\"a\":1,}", false), ("{\"a\":1 \"b\":2}", false), ("\"\\ud800\"", false), ("\"\\udc00\"", false),
        ("\"\\x\"", false), ("\"a\nb\"", false), ("\"\\u12\"", false), ("{} {}", false), ("", false), ("tru", false),
        ("{\"a\":1,\"a\":1}", false), ("{\"a\":1,\"\\u0061\":1}", false), ("{\"\u{e9}\":1,\"e\u{301}\":1}", false),
        ("{\"a\":{\"b\":1},\"b\":1}", true), ("\u{feff}{}", false),
    ])
    func `exactly RFC 8259 without duplicate members is read`(_ text: String, _ isGood: Bool) {
        #expect((JSONValue(Array(text.utf8)) != nil) == isGood)
    }

    @Test func `UTF-16 and broken UTF-8 are refused`() {
        #expect(JSONValue([0x7B, 0, 0x7D, 0]) == nil)
        #expect(JSONValue([0x22, 0xFF, 0x22]) == nil)
        #expect(JSONValue([0x22, 0xC0, 0x80, 0x22]) == nil)
    }

    @Test func `depth is bounded`() {
        let deep = { (depth: Int) in [UInt8](repeating: 0x5B, count: depth) + [UInt8](repeating: 0x5D, count: depth) }
        #expect(JSONValue(deep(64)) != nil)
        #expect(JSONValue(deep(65)) == nil)
        #expect(JSONValue([UInt8](repeating: 0x5B, count: 1_000_000)) == nil)
    }

    @Test func `escapes stand for their text`() {
        #expect(JSONValue(Array(#""a\/\ud83d\ude00\n\u0000""#.utf8)) == .string("a/😀\n\0"))
        #expect(
            JSONValue(Array(#"{"https:\/\/x.example\/g":["a"]}"#.utf8))?.value(at: "https://x.example/g")
                == .array([.string("a")]))
    }
}
