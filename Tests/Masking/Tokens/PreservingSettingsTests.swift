import Testing
import TidegateTokens

@Suite struct PreservingSettingsTests {
    @Test(arguments: [
        (PreservingSettings(keepFirst: 6, keepLast: 4, shape: .card), nil as String?, nil as String?),
        (
            .init(keepFirst: 8, keepLast: 4, shape: .card),
            "keeping 12 of a card's 16 digits leaves 4 to encrypt: FF1 needs a million values at least (NIST SP 800-38G), so 6",
            "keep 10 at most, first and last together, or take an opaque or a reversible token"
        ),
        (
            .init(keepFirst: 6, keepLast: 4, shape: .americanExpress),
            "keeping 10 of an American Express card's 15 digits leaves 5 to encrypt: FF1 needs a million values at least "
                + "(NIST SP 800-38G), so 6",
            "keep 9 at most, first and last together, or take an opaque or a reversible token"
        ),
        (
            .init(keepLast: 4, shape: .socialSecurity),
            "keeping 4 of a social security number's 9 digits leaves 5 to encrypt: FF1 needs a million values at least "
                + "(NIST SP 800-38G), so 6",
            "keep 3 at most, first and last together, or take an opaque or a reversible token"
        ),
        (.init(keepLast: 3, shape: .socialSecurity), nil, nil),
        (
            .init(shape: .length(5)),
            "5 characters are too few to encrypt: FF1 needs a million values at least (NIST SP 800-38G), so 6",
            "an opaque or a reversible token"
        ),
        (
            .init(keepFirst: 1, shape: .length(6)),
            "keeping 1 of 6 characters leaves 5 to encrypt: FF1 needs a million values at least (NIST SP 800-38G), so 6",
            "keep none of them, or take an opaque or a reversible token"
        ),
        (.init(alphabet: .alphanumeric, keepFirst: 1, shape: .length(5)), nil, nil),
        (
            .init(shape: .length(0)), "0 characters cannot be encrypted with FF1", "a length from 6 to 272"
        ),
        (
            .init(shape: .length(273)), "273 characters cannot be encrypted with FF1", "a length from 6 to 272"
        ),
        (.init(keepFirst: -1), "the first -1 characters cannot be kept", "a number from 0 to 32"),
        (.init(keepLast: 33), "the last 33 characters cannot be kept", "a number from 0 to 32"),
        (.init(keepFirst: 32, keepLast: 32), nil, nil),
        (
            .init(alphabet: .alphanumeric, luhn: .valid),
            "Luhn's check is of digits, and the alphabet is 'alphanumeric'", "alphabet: digits, or luhn: any"
        ),
    ])
    func `settings under which no value has a token are refused, with what would be right`(
        settings: PreservingSettings, message: String?, suggestion: String?
    ) throws {
        #expect(settings.refusal?.message == message)
        #expect(settings.refusal?.suggestion == suggestion)
        let key = try TokenFixture.key()
        if let refusal = settings.refusal {
            #expect(throws: refusal) { try Tokenizer(key: key, domain: "d", form: .preserving(settings)) }
        } else {
            #expect(try Tokenizer(key: key, domain: "d", form: .preserving(settings)).isReversible)
        }
    }

    @Test func `cards are Luhn-invalid unless told otherwise, anything else is not looked at`() {
        #expect(PreservingSettings(shape: .card).luhn == .invalid)
        #expect(PreservingSettings(shape: .americanExpress).luhn == .invalid)
        #expect(PreservingSettings(luhn: .any, shape: .card).luhn == .any)
        #expect(PreservingSettings(shape: .socialSecurity).luhn == .any)
        #expect(PreservingSettings().luhn == .any)
    }
}
