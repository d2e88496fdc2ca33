import TidegateWire

extension Checksum {
    /// A CPF: nine digits and two check digits modulo 11 (Receita Federal, IN RFB 1548/2015).
    ///
    /// One digit eleven times passes the arithmetic and is none.
    static func isCPF(_ text: RawSpan) -> Bool {
        guard text.byteCount == 11, let first = text.weighted(cpfFirst), let second = text.weighted(cpfSecond),
            !text.repeatsOneByte()
        else { return false }
        return text.decimal(at: 9) == brazilianCheck(first) && text.decimal(at: 10) == brazilianCheck(second)
    }

    /// A CNPJ: twelve characters and two check digits modulo 11.
    ///
    /// Receita Federal, IN RFB 2119/2022; capitals among the twelve since July 2026 (IN RFB 2229/2024), each worth its
    /// distance from "0" in ASCII.
    static func isCNPJ(_ text: RawSpan) -> Bool {
        guard text.byteCount == 14, let first = text.decimal(at: 12), let second = text.decimal(at: 13) else {
            return false
        }
        var firstSum = 0
        var secondSum = 0
        for offset in 0..<12 {
            guard let value = text.alphanumeric(at: offset) else { return false }
            let worth = value < 10 ? value : value &+ 7
            firstSum &+= worth &* cnpjWeights[offset &+ 1]
            secondSum &+= worth &* cnpjWeights[offset]
        }
        secondSum &+= first &* 2
        return firstSum != 0 && first == brazilianCheck(firstSum) && second == brazilianCheck(secondSum)
    }

    @inline(__always)
    private static func brazilianCheck(_ sum: Int) -> Int {
        let rest = sum % 11
        return rest < 2 ? 0 : 11 &- rest
    }

    private static let cpfFirst = [10, 9, 8, 7, 6, 5, 4, 3, 2]
    private static let cpfSecond = [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]
    /// For the second check digit; the first one's begin one later.
    private static let cnpjWeights = [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]
}
