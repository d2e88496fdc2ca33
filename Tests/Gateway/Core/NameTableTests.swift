import TestSupport
import Testing
import TidegateCore

struct NameTableTests {
    @Test func `many names keep their numbers and their text`() throws {
        let kit = ScriptedAuthority()
        var governor = kit.makeGovernor(token: "analyst-token")
        var found: [Resource] = []
        for number in 0..<5000 {
            found.append(try interned(&governor, UInt8(number % 3), "name-\(number / 3)-long-enough"))
        }
        #expect(Set(found).count == 5000)
        var wrong = 0
        for number in 0..<5000 {
            let again = resource(&governor, UInt8(number % 3), "name-\(number / 3)-long-enough")
            if again != found[number] || governor.name(of: found[number]) != "name-\(number / 3)-long-enough" {
                wrong += 1
            }
        }
        #expect(wrong == 0)
    }

    @Test func `empty names and names with zero bytes are names`() throws {
        let kit = ScriptedAuthority()
        var governor = kit.makeGovernor(token: "analyst-token")
        let names = ["", "\0", "\0\0", "a", "a\0", "abcdefgh", "abcdefgh\0"]
        var found: Set<Resource> = []
        for name in names { found.insert(try interned(&governor, 0, name)) }
        #expect(found.count == names.count)
    }

    @Test func `a connection's names are limited in number and in bytes`() {
        let kit = ScriptedAuthority()
        var governor = kit.makeGovernor(token: "analyst-token")
        var count = 0
        while count < 100_000, resource(&governor, 0, "n\(count)") != nil { count += 1 }
        #expect(count == 16_384)
        let isKnown = resource(&governor, 0, "n0") != nil
        #expect(isKnown)
        _ = resource(&governor, 0, "one more")
        let written = kit.takeLines().filter { $0.contains("more names than one connection may bring") }
        #expect(written.count == 1)
        var other = kit.makeGovernor(token: "analyst-token")
        let big = String(repeating: "x", count: 1 << 20)
        var bytes = 0
        while bytes < 100, resource(&other, 0, big + "\(bytes)") != nil { bytes += 1 }
        #expect(bytes == 3)
    }

    @Test func `what a connection brings is told in bytes`() throws {
        let kit = ScriptedAuthority()
        var governor = kit.makeGovernor(token: "analyst-token")
        let before = governor.heldBytes
        for number in 0..<1000 {
            let resource = try interned(&governor, 0, String(repeating: "n", count: 100) + "\(number)")
            _ = governor.decide(Operation(.consume, resource, wireName: WireName(0)))
        }
        let after = governor.heldBytes
        #expect(before == 0 && after > 200_000)
    }

    /// Pairs of words whose top bits cancel each other collided under every seed while the hash multiplied by a known
    /// factor: 2^16 such names made every look-up walk all of them.
    @Test func `chosen names do not make look-ups slow`() throws {
        let kit = ScriptedAuthority()
        var governor = kit.makeGovernor(token: "analyst-token")
        func word(_ flip: UInt64) -> [UInt8] {
            (0..<8).map { UInt8(truncatingIfNeeded: (0x6161_6161_6161_6161 ^ flip) >> ($0 * 8)) }
        }
        let started = ContinuousClock.now
        for choice in 0..<20_000 {
            var name: [UInt8] = []
            for bit in 0..<15 {
                let isFlipped = choice >> bit & 1 == 1
                name += word(isFlipped ? 1 << 63 : 0) + word(isFlipped ? 1 << 63 | 1 << 31 : 0)
            }
            _ = governor.resource(ResourceKind(0), named: name.span.bytes)
        }
        #expect(ContinuousClock.now - started < .seconds(60))
    }
}
