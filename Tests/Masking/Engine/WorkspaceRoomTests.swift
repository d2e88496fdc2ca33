import Testing
import TidegateCore
import TidegateMasking

/// What a profile keeps between calls.
struct WorkspaceRoomTests {
    @Test func `what a long value took is given back, and nothing of it stays`() throws {
        let fixture = try EngineFixture([
            MaskingRule(.detectors(["all"]), action: .redact("x")), MaskingRule(field: "t", action: .nullify),
        ])
        _ = fixture.json(#"{"a":"to ann@example.com"}"#)
        let usual = fixture.profile.roomAtRest.all
        #expect(usual > 0 && usual < 1 << 20)
        let long = String(repeating: "ünd 4111 1111 1111 1111 \\u0041 ", count: 1 << 18)
        let masked = try #require(fixture.json(#"{"a":"\#(long)","b":"{\"a\":\"ann@example.com\"}"}"#))
        #expect(!masked.contains("4111"))
        #expect(fixture.profile.roomAtRest.all < 8 << 20, "\(fixture.profile.roomAtRest)")
        #expect(fixture.profile.roomAtRest.used == 0)
    }
}
