import Testing
import TidegateTokens

@Suite struct TokenOpenerTests {
    private func open(_ opener: TokenOpener, _ token: String) -> (Result<TokenOpener.Opened, TokenRefusal>, String?) {
        var result = Result<TokenOpener.Opened, TokenRefusal>.failure(.notAToken)
        let bytes = Array(token.utf8)
        let text = written {
            result = opener.open(bytes.span.bytes, to: &$0)
            return (try? result.get()) != nil
        }
        return (result, text)
    }

    @Test func `a token is opened by whichever key and domain made it, and that is told`() throws {
        let first = try TokenFixture.key("first", versions: [1, 2], seed: 1)
        let second = try TokenFixture.key("second", versions: [2, 7], seed: 2)
        let opener = try TokenOpener(keys: [first, second], domains: ["customer", "order"])
        for key in [first, second] {
            for domain in ["customer", "order"] {
                for form in [TokenForm.reversible, .sealed] {
                    let token = try #require(try Tokenizer(key: key, domain: domain, form: form).token("value"))
                    let (result, text) = open(opener, token)
                    #expect(text == "value")
                    let version = key.versions[0]
                    #expect(result == .success(.init(key: key.name, domain: domain, version: version)))
                }
            }
        }
    }

    @Test func `what cannot be opened says why, without a value`() throws {
        let key = try TokenFixture.key(versions: [2])
        let opener = try TokenOpener(keys: [key], domains: ["customer"])
        let other = try #require(try Tokenizer(key: key, domain: "order", form: .reversible).token("value"))
        let opaque = try #require(try Tokenizer(key: key, domain: "customer", form: .opaque).token("value"))
        #expect(open(opener, other).0 == .failure(.notAuthentic))
        #expect(open(opener, opaque).0 == .failure(.oneWay))
        #expect(open(opener, "tgs1_AAAAAAAAAAAAAAAAAAAAAAAA").0 == .failure(.unknownVersion))
        #expect(open(opener, "tgs2_AAAAAAAAAAAAAAAAAAAAAAAA").0 == .failure(.notAuthentic))
        #expect(open(opener, "tge2_").0 == .failure(.notAuthentic))
        #expect(open(opener, "jane.doe@example.com").0 == .failure(.notAToken))
        for refusal in TokenRefusal.allCases { #expect(!refusal.rawValue.contains("value")) }
        for (text, expected) in [(other, true), (opaque, true), ("tgx1_a", false), ("tgs1", false)] {
            let bytes = Array(text.utf8)
            let looksLikeToken = TokenOpener.looksLikeToken(bytes.span.bytes)
            #expect(looksLikeToken == expected)
        }
    }

    @Test func `a preserving token opens to nobody who does not know that it is one`() throws {
        let settings = PreservingSettings(keepFirst: 6, keepLast: 4, shape: .card)
        for form in [TokenForm.opaque, .preserving(settings), .reversible, .sealed] {
            let key = try TokenFixture.key()
            let token = try #require(
                try Tokenizer(key: key, domain: "customer", form: form).token("4111111111111111"))
            let (result, text) = open(try TokenOpener(keys: [key], domains: ["customer"]), token)
            #expect((text != nil) == form.opensByItself, "\(form): \(result)")
        }
    }
}
