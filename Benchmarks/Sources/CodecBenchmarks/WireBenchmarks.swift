import TidegateWire

extension Suite {
    /// The readers that everything else is made of.
    func addWire() {
        add("wire/varint unsigned32, 1 to 5 bytes", allocating: .none, items: 5, on: Self.varints) { bytes in
            let span = unsafe bytes.span.bytes
            var at = 0
            var sum = 0
            for _ in 0..<5 {
                guard let (value, end, _) = Varint.unsigned32(span, at: at) else { break }
                sum &+= Int(value)
                at = end
            }
            keep(sum)
        }
        add("wire/varint signed64, 1 to 10 bytes", allocating: .none, items: 10, on: Self.signedVarints) { bytes in
            let span = unsafe bytes.span.bytes
            var at = 0
            var sum: Int64 = 0
            for _ in 0..<10 {
                guard let (value, end, _) = Varint.signed64(span, at: at) else { break }
                sum &+= value
                at = end
            }
            keep(Int(truncatingIfNeeded: sum))
        }
        add("wire/batch header of 61 bytes", allocating: .none, bytes: 61, on: Self.sevens(61)) { bytes in
            let span = unsafe bytes.span.bytes
            let base = span.bigEndian(Int64.self, at: 0) ?? 0
            let length = span.bigEndian(Int32.self, at: 8) ?? 0
            let magic = span.byte(at: 16) ?? 0
            let last = span.bigEndian(Int32.self, at: 23) ?? 0
            let count = span.bigEndian(Int32.self, at: 57) ?? 0
            keep(Int(truncatingIfNeeded: base) &+ Int(length) &+ Int(magic) &+ Int(last) &+ Int(count))
        }
        add("wire/equals, 64 bytes", allocating: .none, bytes: 64, on: Self.sevens(64)) { bytes in
            let span = unsafe bytes.span.bytes
            keep(span.equals(span, in: 0..<64) ? 1 : 0)
        }
    }

    private static func sevens(_ count: Int) -> () -> [UInt8] { { [UInt8](repeating: 7, count: count) } }

    private static func varints() -> [UInt8] {
        var bytes: [UInt8] = []
        for value in [0x7f, 0x3fff, 0x1f_ffff, 0xfff_ffff, 0xffff_ffff] as [UInt32] { bytes.append(varint: value) }
        return bytes
    }

    private static func signedVarints() -> [UInt8] {
        var bytes: [UInt8] = []
        for shift in 0..<10 { bytes.append(zigzag: shift == 9 ? .max : 1 << Int64(7 * shift + 5)) }
        return bytes
    }
}
