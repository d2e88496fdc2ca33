import TidegateWire

extension Checksum {
    /// A numéro d'inscription au répertoire with its key: sex, year and month of birth, place, order, and 97 less the
    /// number modulo 97 (décret n° 82-103, INSEE). Corsica's 2A and 2B count as 19 and 18.
    ///
    /// First digit: 1 and 2, 3 and 4 while being registered, 7 and 8 for the time being. Months beyond 12 stand for
    /// births with incomplete papers: 20 to 42 and 50 to 99.
    static func isNIR(_ text: RawSpan) -> Bool {
        guard text.byteCount == 15, let head = text.number(0..<5), let tail = text.number(7..<13),
            let key = text.number(13..<15)
        else { return false }
        let department: Int
        switch (text.byte(at: 5), text.byte(at: 6)) {
        case (UInt8(ascii: "2"), UInt8(ascii: "A")): department = 19
        case (UInt8(ascii: "2"), UInt8(ascii: "B")): department = 18
        default:
            guard let number = text.number(5..<7) else { return false }
            department = number
        }
        switch head / 10_000 {
        case 1...4, 7, 8: break
        default: return false
        }
        switch head % 100 {
        case 1...12, 20...42, 50...99: break
        default: return false
        }
        let number = (head &* 100 &+ department) &* 1_000_000 &+ tail
        return 97 &- number % 97 == key
    }
}
