import Testing
import TidegateWire

@Suite struct VarintTests {
    // A span cannot stand inside #expect: the macro wants escapable values.
    private func unsigned(_ bytes: [UInt8]) -> (value: UInt32, end: Int, overlong: Bool)? {
        Varint.unsigned32(bytes.span.bytes, at: 0)
    }
    private func signed(_ bytes: [UInt8]) -> (value: Int64, end: Int, overlong: Bool)? {
        Varint.signed64(bytes.span.bytes, at: 0)
    }

    @Test(arguments: [0, 1, 127, 128, 300, 16383, 16384, 1 << 21, 1 << 28, UInt32.max] as [UInt32])
    func `an unsigned varint reads back, and its length is told before`(value: UInt32) throws {
        var bytes: [UInt8] = []
        bytes.append(varint: value)
        #expect(bytes.count == Varint.length(unsigned32: value))
        let read = try #require(unsigned(bytes))
        #expect(read == (value, bytes.count, false))
        for end in 0..<bytes.count { #expect(unsigned(Array(bytes[..<end])) == nil) }
    }

    @Test(arguments: [0, -1, 1, 63, -64, 64, 1 << 40, Int64.max, Int64.min])
    func `a zig-zag varint reads back, and its length is told before`(value: Int64) throws {
        var bytes: [UInt8] = []
        bytes.append(zigzag: value)
        #expect(bytes.count == Varint.length(signed64: value))
        let read = try #require(signed(bytes))
        #expect(read == (value, bytes.count, false))
    }

    @Test func `a number of more bits than its type is overlong, not wrapped`() throws {
        let six: [UInt8] = [0xff, 0xff, 0xff, 0xff, 0xff, 0x01]
        #expect(try #require(unsigned(six)).overlong)
        let wide: [UInt8] = [0xff, 0xff, 0xff, 0xff, 0x7f]
        #expect(try #require(unsigned(wide)).overlong)
        let eleven = [UInt8](repeating: 0xff, count: 10) + [1]
        #expect(try #require(signed(eleven)).overlong)
    }
}
