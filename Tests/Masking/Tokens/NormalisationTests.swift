import Testing
import TidegateTokens

@Suite struct NormalisationTests {
    /// What a value is made into, seen through a token that opens.
    private func normalised(_ value: String, _ normalisation: Normalisation) throws -> String? {
        let tokenizer = try TokenFixture.tokenizer(.reversible, normalisation)
        return tokenizer.value(try #require(tokenizer.token(value)))
    }

    @Test(arguments: [
        ("4111-1111 1111.1111", "4111111111111111"), ("+49 (30) 12/34", "+493012 34".filter { $0 != " " }),
        ("\t12\n", "12"), ("", ""), ("abcDEF", "abcDEF"), ("４１１１", "4111"),
        ("41\u{a0}11\u{200b}22\u{2011}33", "41112233"),
        ("1\u{2212}2", "12"), ("Zoë", "Zoë"), ("---", ""),
    ])
    func `without separators`(value: String, expected: String) throws {
        #expect(try normalised(value, .withoutSeparators) == expected)
    }

    @Test(arguments: [
        (" Jane.Doe@Example.COM\r\n", "jane.doe@example.com"), ("a b", "a b"), ("", ""), ("   ", ""),
        ("ＪＡＮＥ＠example.com", "jane@example.com"), ("ZOE\u{308}", "zo\u{eb}"), ("\u{a0}É ", "é"), ("ﬁn", "fin"),
        ("@[`{", "@[`{"),
    ])
    func `in one case and one composition`(value: String, expected: String) throws {
        let result = try #require(try normalised(value, .caseless))
        #expect(Array(result.utf8) == Array(expected.utf8))
    }

    @Test func `spellings of one value have one token; without normalisation they have not`() throws {
        for form in [TokenForm.opaque, .reversible] {
            let email = try TokenFixture.tokenizer(form, .caseless)
            #expect(email.token(" Jane@Example.com") == email.token("jane@example.com "))
            #expect(!email.isInjective)
            let exact = try TokenFixture.tokenizer(form)
            #expect(exact.token("Jane@Example.com") != exact.token("jane@example.com"))
            #expect(exact.isInjective)
        }
        let card = try TokenFixture.tokenizer(.preserving(.init()), .withoutSeparators)
        #expect(card.token("４１１１ 1111") == card.token("41111111"))
    }

    @Test func `what is no text stays as it is`() throws {
        for normalisation in Normalisation.allCases {
            let tokenizer = try TokenFixture.tokenizer(.reversible, normalisation)
            let value: [UInt8] = [0xff, 0x41, 0x20]
            #expect(tokenizer.bytes(try #require(tokenizer.token(value))) == value)
        }
    }
}
