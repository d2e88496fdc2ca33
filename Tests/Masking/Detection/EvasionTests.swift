import Testing
import TidegateDetection

/// Ways to write a number that a simple search does not see (`../shared/masking.md`).
struct EvasionTests {
    private static let groups = ["4111", "1111", "1111", "1111"]

    @Test(arguments: [
        " ", "-", ".", "/", "_", "\u{a0}", "\u{202f}", "\u{2007}", "\u{2009}", "\u{2010}", "\u{2011}", "\u{2013}",
        "\u{200b}", "\u{200c}", "\u{200d}", "\u{2060}", "\u{feff}", "\u{ad}", "\u{3000}", " - ", "\u{2212}", "－", "．",
        "\u{200b} \u{200b}", "\u{fe0f}", "\u{202a}", " \u{200b} ", " \u{2013} ", " \u{2060} ", " \u{feff} ", " \u{ad} ",
        " \u{200d} ", " \u{200e} ", " \u{2066} ", " \u{2064} ", "-\u{200b}-", "-\u{200b} ",
        " \u{200b}\u{200b}\u{200b} ",
        "\t", "\n", "\r\n", " \n", "-\n", "\n\u{200b}", "\u{200b}\n\u{200b}", "\u{85}", "\u{1680}", "\u{2028}",
        "\u{fe63}", "\u{2800}",
        "\u{34f}", "\u{61c}", "\u{180e}", "\u{180b}", "\u{115f}", "\u{1160}", "\u{17b4}", "\u{3164}", "\u{ffa0}",
        "\u{fff9}", "\u{e0001}", "\u{e0020}", "\u{e01ef}",
    ])
    func `marks between digits hide nothing`(mark: String) throws {
        let search = try Search()
        let card = EvasionTests.groups.joined(separator: mark)
        #expect(search.found(card) == ["credit-card: \(card)"])
        #expect(search.found("é \(card), so") == ["credit-card: \(card)"])
        #expect(search.mayMatch("{\"note\":\"\(card)\"}"))
        let iban = ["GB82", "WEST", "1234", "5698", "7654", "32"].joined(separator: mark)
        // Its groups of letters have single marks between, and ends of lines are folded between digits only.
        let isLine = mark.utf8.contains { $0 < 0x20 }
        let marks = mark.unicodeScalars.count { $0 == " " || $0 == "-" || $0 == "\u{2013}" }
        if mark != "/", marks < 2, !isLine { #expect(search.found(iban) == ["iban: \(iban)"]) }
        let ssn = ["123", "45", "6789"].joined(separator: mark)
        #expect(search.found(ssn, name: "ssn") == ["us-ssn: \(ssn)"])
    }

    @Test(arguments: [
        "\u{200b}", "\u{2060}", "\u{feff}", "\u{ad}", " ", "-", "\u{a0}", "\u{fe0f}\u{20e3}", "\n", "\t", "\u{34f}",
        "\u{e0001}",
    ])
    func `a mark behind each digit hides nothing`(mark: String) throws {
        let search = try Search()
        let text = "4111111111111111".map(String.init).joined(separator: mark)
        #expect(search.found(text) == ["credit-card: \(text)"])
        #expect(search.mayMatch(text))
        let identity = "123456789".map(String.init).joined(separator: mark)
        #expect(search.found(identity, name: "ssn") == ["us-ssn: \(identity)"])
    }

    @Test(arguments: [
        0xff10, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50, 0xed0, 0xf20,
        0x1040,
        0x17e0, 0x1810, 0x1d7ce, 0x1d7d8, 0x1d7f6,
    ])
    func `digits of other scripts are digits`(zero: UInt32) throws {
        let search = try Search()
        let text = String(
            String.UnicodeScalarView(
                "4111111111111111".unicodeScalars.compactMap { Unicode.Scalar(zero + $0.value - 48) }))
        #expect(text.unicodeScalars.count == 16)
        #expect(search.found(text) == ["credit-card: \(text)"])
        #expect(search.found("x \(text) y") == ["credit-card: \(text)"])
        #expect(search.mayMatch("[\"\(text)\"]"))
    }

    @Test func `wide letters and a wide at sign are what they look like`() throws {
        let search = try Search()
        #expect(search.found("ｊｏｈｎ＠ｅｘａｍｐｌｅ．ｃｏｍ") == ["email: ｊｏｈｎ＠ｅｘａｍｐｌｅ．ｃｏｍ"])
        #expect(search.found("john＠example.com") == ["email: john＠example.com"])
        #expect(search.found("jo\u{200b}hn@exa\u{ad}mple.com") == ["email: jo\u{200b}hn@exa\u{ad}mple.com"])
        #expect(search.found("ＡＢ１２３４５６Ｃ") == ["uk-nino: ＡＢ１２３４５６Ｃ"])
        #expect(search.found("（415）555-2671") == ["phone: （415）555-2671"])
        #expect(search.found("卡号4111111111111111，谢谢") == ["credit-card: 4111111111111111"])
    }

    @Test func `bytes that are no UTF-8 hide nothing`() throws {
        let search = try Search()
        let card = Array("4111111111111111".utf8)
        for around: [UInt8] in [[0xff], [0xc2], [0xe2, 0x80], [0x80], [0xf0, 0x9f], [0xed, 0xa0, 0x80], [0]] {
            let text = around + card + around
            #expect(search.findings(text).map(\.range) == [around.count..<(around.count + 16)])
            #expect(search.mayMatch(text))
        }
    }

    @Test func `a tab or the end of a line parts digits only, wherever blocks of the scan meet`() throws {
        let search = try Search()
        for padding in 0..<140 {
            let text = String(repeating: "a", count: padding) + " 4111\n1111\r\n1111\t1111\nnext"
            #expect(search.found(text) == ["credit-card: 4111\n1111\r\n1111\t1111"], "\(padding)")
            #expect(search.mayMatch(text))
        }
        #expect(search.found("078-\u{200b} 05-1121 ssn") == ["us-ssn: 078-\u{200b} 05-1121"])
        #expect(search.found("ssn 123 \u{2013} 45 \u{2013} 6789") == ["us-ssn: 123 \u{2013} 45 \u{2013} 6789"])
        #expect(search.found("jo_\u{200b}_hn@example.com") == ["email: jo_\u{200b}_hn@example.com"])
        for lines in ["in 2024\n12 apples", "1\n2\n3", "ends with 4111\n", "\n4111 of them", "id\t4111\tname\t1111"] {
            #expect(search.found(lines) == [], "\(lines)")
        }
    }

    @Test(arguments: [
        #"{"a":"4\u0031\u0031\u0031111111111111"}"#, #"{"a":"john\u0040example.com"}"#,
        #"{"a":"{\"b\":\"\\u0034111111111111111\"}"}"#, #"{"a":"12\/03\/1990"}"#, #"{"a":"x\n4111111111111111"}"#,
        #"{"a":"4111\u00a01111\u200b1111 1111"}"#, #"{"a":"\nAKIAIOSFODNN7EXAMPLE"}"#, #"{"a":"\tfe80::1ff:fe23"}"#,
        #"{"a":"\ud835\udfd2\ud835\udfcf"}"#, #"{"a":4111111111111111}"#, #"["\nAB123456C"]"#,
        #"{"a":"4111\n1111\n1111\n1111"}"#, #"{"a":"4111\r\n1111\t1111 \n1111"}"#,
        #"{"a":"4111\\n1111\\n1111\\n1111"}"#,
        #"{"a":"4111\u000a1111\u00091111"}"#, #"{"a":"4111\udb40\udc011111"}"#, "4111\n1111\n1111\n1111",
        "{\"a\":\"4111 \u{200b} 1111 \u{2013} 1111\"}",
    ])
    func `escapes of JSON may match`(document: String) throws {
        #expect(try Search().mayMatch(document))
    }

    @Test(arguments: [
        #"{"event":"page_view","user":{"name":"Alice Cooper","plan":"premium","age":42,"score":17.25}}"#,
        #"{"caf\u00e9":"na\u00efve \ud83d\ude00","n":[1,2,3,40,50],"path":"/a/b"}"#,
        "Grüße aus Köln, наша встреча в 10:30, 会议在下午三点。", "id 550e8400-e29b-41d4-a716-446655440000 done",
        #"{"at":"2024-01-02T03:04:05.123Z","ok":true}"#, #"{"a":"in 2024\nand so on"}"#,
        "a \u{2013} b, \u{2764}\u{fe0f} so",
        "[1,\n2,\n3]",
    ])
    func `documents without anything do not match`(document: String) throws {
        #expect(try !Search(BuiltInDetector.allCases.filter { $0 != .dateOfBirth }).mayMatch(document))
    }
}
