import TidegateWire

extension Checksum {
    /// A PESEL: a day of birth whose month tells the century, and weights 1-3-7-9.
    ///
    /// Ustawa o ewidencji ludności, art. 15.
    static func isPESEL(_ text: RawSpan) -> Bool {
        guard text.byteCount == 11, let sum = text.weighted(peselWeights), sum % 10 == 0, let date = text.number(0..<6)
        else {
            return false
        }
        let month = date / 100 % 100
        let century =
            switch month / 20 {
            case 0: 1900
            case 1: 2000
            case 2: 2100
            case 3: 2200
            default: 1800
            }
        return CalendarDay.exists(year: century &+ date / 10_000, month: month % 20, day: date % 100)
    }

    private static let peselWeights = [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]
}
