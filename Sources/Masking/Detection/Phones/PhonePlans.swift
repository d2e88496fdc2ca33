/// The numbering plans that a number in a text is judged by: that of its calling code, or those of countries that write
/// national numbers in its form.
enum PhonePlans {
    static let northAmerica = regions("US")
    static let brazil = regions("BR")
    static let india = regions("IN")
    static let china = regions("CN")
    /// Countries whose national numbers begin with a zero, those first that write the most of them.
    static let zero = regions(
        """
        DE GB FR IT JP NL BE CH AT AU KR IN TR ID TW SE FI IE NZ ZA TH MY PH VN EG PK BD IL UA RO BG HR RS BA SK SI MA DZ
        KE NG GH AE SA IR IQ JO LB AL MK LU
        """)

    private static func regions(_ codes: String) -> [PhoneRegion] {
        codes.split(whereSeparator: \.isWhitespace).compactMap { PhoneRegion(String($0)) }
    }

    /// Loads what the first question would.
    static func prepare() {
        PhoneNumbers.prepare()
        _ = (northAmerica, brazil, india, china, zero)
    }
}

extension CharacterRun {
    /// True where the numbering plan of its calling code has the number, or only libphonenumber could tell.
    ///
    /// - Parameters:
    ///   - count: digits from `first` on, of which the one at `skipped` is not dialled.
    func mayBeDialled(_ first: Int, _ count: Int, without skipped: Int = -1) -> Bool {
        var text = InlineArray<24, UInt8>(repeating: UInt8(ascii: "+"))
        var length = 1
        for at in first..<(first &+ count) where at != skipped {
            guard length < 24 else { return false }
            text[length] = self[at]
            length &+= 1
        }
        return unsafe PhoneNumbers.mayBeValid(text.span.bytes.extracting(first: length))
    }

    /// The same of a number as it is dialled in one of the regions.
    func mayBeDialled(_ first: Int, _ count: Int, in regions: [PhoneRegion]) -> Bool {
        var text = InlineArray<24, UInt8>(repeating: 0)
        guard count <= 24 else { return false }
        for at in 0..<count { text[at] = self[first &+ at] }
        for region in regions
        where unsafe PhoneNumbers.mayBeValid(text.span.bytes.extracting(first: count), region: region) { return true }
        return false
    }
}
