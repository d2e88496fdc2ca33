import TidegateWire

extension Checksum {
    /// An NRIC (S, T) or FIN (F, G, M): seven digits, weights 2-7-6-5-4-3-2, a check letter by kind.
    ///
    /// National Registration Act; Immigration and Checkpoints Authority (series M since 2022). The algorithm is
    /// known, not published.
    static func isNRIC(_ text: RawSpan) -> Bool {
        guard text.byteCount == 9, let letter = text.byte(at: 8), let number = text.number(1..<8) else { return false }
        var rest = number
        var sum = 0
        for weight in nricWeights {  // from the last digit to the first
            sum &+= rest % 10 &* weight
            rest /= 10
        }
        switch text.byte(at: 0) {
        case UInt8(ascii: "S"): return citizenLetters[sum % 11] == letter
        case UInt8(ascii: "T"): return citizenLetters[(sum &+ 4) % 11] == letter
        case UInt8(ascii: "F"): return foreignerLetters[sum % 11] == letter
        case UInt8(ascii: "G"): return foreignerLetters[(sum &+ 4) % 11] == letter
        case UInt8(ascii: "M"): return newForeignerLetters[(sum &+ 3) % 11] == letter
        default: return false
        }
    }

    private static let nricWeights = [2, 3, 4, 5, 6, 7, 2]
    private static let citizenLetters: [UInt8] = Array("JZIHGFEDCBA".utf8)
    private static let foreignerLetters: [UInt8] = Array("XWUTRQPNMLK".utf8)
    private static let newForeignerLetters: [UInt8] = Array("XWUTRQPNJLK".utf8)
}
