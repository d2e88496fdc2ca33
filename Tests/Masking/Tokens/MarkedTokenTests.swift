import TestSupport
import Testing
import TidegateTokens

/// Tokens with a prefix: opaque, reversible, sealed.
@Suite struct MarkedTokenTests {
    static let values = [
        "", "a", "jane.doe@example.com", "4111 1111 1111 1111", "Zoë Müller", "tgh1_", "tgs1_AAAA", "{}",
    ]

    @Test func `an opaque token is forty-two lower-case letters and digits behind its prefix`() throws {
        let tokenizer = try TokenFixture.tokenizer(.opaque, versions: [1, 12])
        for value in MarkedTokenTests.values {
            let token = try #require(tokenizer.token(value))
            #expect(token.wholeMatch(of: /tgh12_[a-z2-7]{42}/) != nil, "\(token)")
            #expect(token == tokenizer.token(value))
        }
    }

    @Test func `no two digits are neighbours in an opaque token's body`() throws {
        let tokenizer = try TokenFixture.tokenizer(.opaque)
        for number in 0..<20_000 {
            let token = try #require(tokenizer.token("value \(number)"))
            let digits = token.utf8.map { (48...57).contains($0) }
            #expect(!zip(digits, digits.dropFirst()).contains { $0 && $1 }, "\(token)")
        }
    }

    /// Composed anew in Python from `hmac` and the package `cryptography`, but the sealed one: tokens that are stored must
    /// come out the same for ever.
    @Test func `tokens of a known key do not change from version to version of this program`() throws {
        #expect(
            try TokenFixture.tokenizer(.opaque).token("jane.doe@example.com")
                == "tgh1_vxdjkif2cxvkshvqb7pcvqscfvq2pekgbss7jzklbq")
        #expect(
            try TokenFixture.tokenizer(.reversible).token("jane.doe@example.com")
                == "tgs1_x5sqWc0X8NaRBj9h0q1BSm9mOusbdHEvDTe0O_UcmccB9ifU")
        #expect(
            try TokenFixture.tokenizer(.preserving(.init(shape: .card))).token("4111 1111 1111 1111")
                == "2339 1357 1342 0467")
        #expect(
            try TokenFixture.tokenizer(.preserving(.init(luhn: .valid))).token("4111111111111111") == "8212142064625574"
        )
        #expect(
            try TokenFixture.tokenizer(.preserving(.init(alphabet: .alphanumeric))).token("AbCd-0123") == "YqsT-OIWE")
        let kept = PreservingSettings(keepFirst: 6, keepLast: 4)
        #expect(try TokenFixture.tokenizer(.preserving(kept)).token("4111111111111111") == "4111114231031111")
        let sealed = "tge1_3XMLV31wJ1tHXMuJe8PdYWRtf4_kMy3MOEL1yMBOeyTztDRzQDNtAE479OqIVn6a0Irrw_tCbCqmnmvM"
        #expect(try TokenFixture.tokenizer(.sealed).value(sealed) == "jane.doe@example.com")
    }

    @Test func `reversible and sealed tokens open to their value; opaque ones do not`() throws {
        for form in TokenFixture.marked {
            let tokenizer = try TokenFixture.tokenizer(form)
            var generator = SeededGenerator(seed: 11)
            let random = (0..<200).map { count in
                String(decoding: (0..<count).map { _ in UInt8.random(in: 32..<127, using: &generator) }, as: UTF8.self)
            }
            for value in MarkedTokenTests.values + random where !tokenizer.knows(value) {
                let token = try #require(tokenizer.token(value))
                #expect(token != value)
                if form == .opaque {
                    #expect(tokenizer.opened(token).0 == .refused(.oneWay))
                } else {
                    #expect(tokenizer.opened(token) == (.opened(version: 1), value))
                }
            }
        }
    }

    @Test func `bytes that are no text come back, too`() throws {
        let tokenizer = try TokenFixture.tokenizer(.reversible)
        let value: [UInt8] = [0xff, 0, 0xc3, 0x28, 0x80]
        #expect(tokenizer.bytes(try #require(tokenizer.token(value))) == value)
    }

    @Test func `equal values have equal tokens, but sealed ones`() throws {
        for form in TokenFixture.marked {
            let tokenizer = try TokenFixture.tokenizer(form)
            #expect((tokenizer.token("x") == tokenizer.token("x")) == (form != .sealed))
            #expect(tokenizer.isDeterministic == (form != .sealed))
            #expect(tokenizer.token("x") != tokenizer.token("y"))
        }
    }

    @Test func `another domain, key or form gives another token, and opens or knows nothing of it`() throws {
        let key = try TokenFixture.key()
        for form in TokenFixture.marked {
            let ours = try Tokenizer(key: key, domain: "customer", form: form)
            let token = try #require(ours.token("4111111111111111"))
            let others = [
                try Tokenizer(key: key, domain: "customers", form: form),
                try Tokenizer(key: try TokenFixture.key(seed: 5), domain: "customer", form: form),
            ]
            for other in others {
                #expect(other.token("4111111111111111") != token)
                #expect(!other.knows(token))
                let expected = TokenOpening.refused(form == .opaque ? .oneWay : .notAuthentic)
                #expect(other.opened(token).0 == expected)
            }
            for other in TokenFixture.marked where other != form {
                #expect(!(try Tokenizer(key: key, domain: "customer", form: other)).knows(token))
            }
        }
    }

    @Test func `a renamed key makes the same tokens`() throws {
        let first = try Tokenizer(key: TokenFixture.key("a"), domain: "d", form: .opaque)
        let second = try Tokenizer(key: TokenFixture.key("b"), domain: "d", form: .opaque)
        #expect(first.token("x") == second.token("x"))
    }

    @Test func `masking twice is masking once`() throws {
        for form in TokenFixture.marked {
            let tokenizer = try TokenFixture.tokenizer(form)
            for value in MarkedTokenTests.values {
                let token = try #require(tokenizer.token(value))
                #expect(tokenizer.knows(token))
                #expect(tokenizer.token(token) == token)
                #expect(!tokenizer.knows(value))
            }
        }
    }

    @Test func `a clear value that looks like a token is masked all the same`() throws {
        for form in TokenFixture.marked {
            let tokenizer = try TokenFixture.tokenizer(form)
            let token = try #require(tokenizer.token("value"))
            var forged = ["tgh1_", "tgh1_" + String(repeating: "b", count: 42), "tgs1_NDExMTExMTExMTExMTExMQ", "tge1_"]
            forged += [token + "a", String(token.dropLast()), " " + token, token + "=", token.uppercased()]
            let letters = Array(token)
            for index in letters.indices {
                for replacement: Character in ["b", "c", "A", "7", "-"] where letters[index] != replacement {
                    var changed = letters
                    changed[index] = replacement
                    forged.append(String(changed))
                }
            }
            for text in forged {
                #expect(!tokenizer.knows(text), "\(text)")
                let masked = try #require(tokenizer.token(text))
                #expect(masked != text)
                #expect(tokenizer.value(masked) == (form == .opaque ? nil : text))
            }
        }
    }

    @Test func `the newest version makes tokens, older ones are still known and opened, lost ones are not`() throws {
        for form in TokenFixture.marked {
            let before = try TokenFixture.tokenizer(form, versions: [1, 2])
            let old = try #require(before.token("value"))
            #expect(old.contains("2_"))
            let rotated = try TokenFixture.tokenizer(form, versions: [1, 2, 3])
            let new = try #require(rotated.token("value"))
            #expect(new.contains("3_"))
            #expect(rotated.knows(old))
            #expect(rotated.token(old) == old)
            #expect(!before.knows(new))
            let later = try TokenFixture.tokenizer(form, versions: [3])
            #expect(!later.knows(old))
            #expect(later.opened(old).0 == .refused(.unknownVersion))
            if form != .opaque {
                #expect(rotated.opened(old) == (.opened(version: 2), "value"))
                #expect(rotated.opened(new) == (.opened(version: 3), "value"))
            }
        }
    }

    @Test(arguments: [
        "tgs_AA", "tgs01_AA", "tgs0_AA", "tgs-1_AA", "tgs99999999999999999999_AA", "tgs1AA", "tgs1", "tgs", "t", "",
    ])
    func `a prefix is written in one way only`(text: String) throws {
        let tokenizer = try TokenFixture.tokenizer(.reversible)
        #expect(tokenizer.opened(text).0 == .refused(.notAToken))
        #expect(!tokenizer.knows(text))
    }

    @Test func `many threads make the same tokens`() async throws {
        for form in [TokenForm.opaque, .reversible, .preserving(.init())] {
            let tokenizer = try TokenFixture.tokenizer(form)
            let values = (0..<300).map { "\(1_000_000_000 + $0)" }
            let expected = values.map { tokenizer.token($0) }
            let agree = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<8 { group.addTask { values.map { tokenizer.token($0) } == expected } }
                return await group.allSatisfy { $0 }
            }
            #expect(agree)
        }
    }

    @Test func `a domain has a name of reasonable length`() throws {
        let key = try TokenFixture.key()
        #expect(throws: TokenSettingsError.self) { try Tokenizer(key: key, domain: "", form: .opaque) }
        #expect(throws: TokenSettingsError.self) {
            try Tokenizer(key: key, domain: String(repeating: "d", count: 256), form: .opaque)
        }
        #expect(try Tokenizer(key: key, domain: String(repeating: "d", count: 255), form: .opaque).token("x") != nil)
    }
}
