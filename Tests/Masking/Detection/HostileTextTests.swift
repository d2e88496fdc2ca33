import Testing
import TidegateDetection

/// Texts made so that a careless search reads their end again from each of its places.
///
/// Each is as long as takes a quadratic search minutes, and a linear one well below a second: the limits are
/// generous for slow machines and sanitizers.
struct HostileTextTests {
    private static let limit = Duration.seconds(40)

    private func time(_ work: () -> Void) -> Duration { ContinuousClock().measure(work) }

    /// - Returns: the piece as often as goes into so many bytes.
    private func text(_ piece: String, _ bytes: Int) -> [UInt8] {
        Array(String(repeating: piece, count: bytes / piece.utf8.count).utf8)
    }

    @Test func `beginnings of tokens in one part are read once`() throws {
        let search = try Search([.jwt])
        let beginnings = text("eyJ1-", 2_000_000)
        let second = text("eyJ1234567-", 400_000) + [UInt8(ascii: ".")] + text("e", 4_000_000)
        for hostile in [beginnings, second] {
            let time = time { #expect(search.findings(hostile).isEmpty) }
            #expect(time < HostileTextTests.limit, "\(hostile.count) bytes: \(time)")
        }
        let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9"
        #expect(search.found("eyJ1-eyJ1 eyJ1-eyJ1. \(token), eyJ1.\(token)") == ["jwt: \(token)", "jwt: \(token)"])
    }

    @Test func `a key's end is not looked for where only its place is asked`() throws {
        let search = try Search([.pem])
        let document = Array("[".utf8) + text("\"-----BEGIN PRIVATE KEY-----\",", 6_000_000) + Array("1]".utf8)
        var pass = DetectionPass()
        let time = time { _ = search.set.mark(document.span.bytes, &pass) }
        #expect(time < HostileTextTests.limit, "\(time)")
        // Each of them is marked.
        for start in stride(from: 2, to: 10_000, by: 30) {
            #expect(pass.marks[start >> 12] >> UInt64(start >> 6 & 63) & 3 != 0, "\(start)")
        }
        #expect(search.mayMatch(document))
    }

    @Test func `a match that grows is not judged from its start again and again`() throws {
        let pattern = try UserPattern(name: "number", pattern: "[0-9 -]+", checksum: .luhn)
        let set = try DetectorSet([.user(pattern)])
        var pass = DetectionPass()
        let name: [UInt8] = []
        for piece in ["-", "- ", "7 -"] {
            let hostile = text(piece, 1_500_000)
            let time = time { set.find(in: hostile.span.bytes, name: name.span.bytes, &pass) }
            #expect(time < HostileTextTests.limit, "\(piece): \(time)")
        }
        let card = Array(("4111" + String(repeating: " ", count: 300) + "111111111111").utf8)
        set.find(in: card.span.bytes, name: name.span.bytes, &pass)
        #expect(pass.findings.map(\.end).max() == card.count)
    }

    @Test func `what users' patterns find is merged with the rest`() throws {
        let badge = try UserPattern(name: "badge", pattern: "EMP-[0-9]{6}")
        let set = try DetectorSet([.user(badge), .builtIn(.email)])
        let hostile = text("a@b.co ", 3_500_000) + text("EMP-123456 ", 1_000_000)
        var pass = DetectionPass()
        let name: [UInt8] = []
        let time = time { set.find(in: hostile.span.bytes, name: name.span.bytes, &pass) }
        #expect(time < HostileTextTests.limit, "\(time)")
        #expect(pass.findings.count == 3_500_000 / 7 + 1_000_000 / 11)
        var isInOrder = true
        for index in 1..<pass.findings.count where pass.findings[index].start < pass.findings[index - 1].end {
            isInOrder = false
        }
        #expect(isInOrder)
    }
}
