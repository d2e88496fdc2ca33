import Testing
import TidegateDetection

struct BuiltInDetectorTests {
    struct Sample: Sendable, CustomTestStringConvertible {
        var detector: BuiltInDetector
        var text: String
        /// What is to be found in it; all of it where nothing is said.
        var part: String?
        var name = ""
        var testDescription: String { "\(detector.rawValue): \(name) \(text)" }
    }

    private static func samples(_ detector: BuiltInDetector, _ texts: [String]) -> [Sample] {
        texts.map { Sample(detector: detector, text: $0) }
    }

    private static func named(_ detector: BuiltInDetector, _ name: String, _ texts: [String]) -> [Sample] {
        texts.map { Sample(detector: detector, text: $0, name: name) }
    }

    /// Found wherever they stand: published examples and numbers made for tests.
    static let strong: [Sample] =
        samples(
            .creditCard,
            [
                "4111111111111111", "4111 1111 1111 1111", "4012-8888-8888-1881", "5555.5555.5555.4444",
                "378282246310005", "3714 496353 98431", "6011111111111117", "3530111333300000", "30569309025904",
                "38520000023237", "2223003122003222", "6240008631401148", "2200000000000004", "4222222222222",
                "6759649826438453", "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "4000000000000000006",
            ])
        + samples(.usSocialSecurity, ["123-45-6789", "123 45 6789", "123.45.6789"])
        + samples(.usTaxpayer, ["912-70-1234"])
        + samples(
            .iban,
            [
                "DE89370400440532013000", "DE89 3704 0044 0532 0130 00", "GB82 WEST 1234 5698 7654 32",
                "GB82-WEST-1234-5698-7654-32", "fr1420041010050500013m02606", "NO9386011117947",
                "MT84MALT011000012345MTLCAST001S",
            ])
        + samples(.usMedicareIdentifier, ["1EG4-TE5-MK73", "1EG4TE5MK73"])
        + samples(.ukHealthService, ["143 476 5919".replacing("143 476 5919", with: "401 023 2137")])
        + samples(.ukNationalInsurance, ["AB123456C", "AB 12 34 56 C"])
        + samples(.canadaSocialInsurance, ["130-692-544", "130 692 544"])
        + samples(.indiaAadhaar, ["2345 6789 0124", "2345-6789-0124"])
        + samples(.indiaAccount, ["ABCPE1234F"])
        + samples(.polandPesel, ["44051401359"])
        + samples(.spainTax, ["12345678Z", "12345678-Z", "X1234567L", "X-1234567-L"])
        + samples(.italyFiscalCode, ["RSSMRA85M01H501Q"])
        + samples(.germanyTax, ["86095742719", "86 095 742 719"])
        + samples(.singaporeIdentity, ["S1234567D"])
        + samples(.brazilPerson, ["123.456.789-09", "12345678909"])
        + samples(.brazilCompany, ["11.222.333/0001-81", "11222333000181"])
        + samples(.chinaResident, ["11010519491231002X"])
        + samples(
            .franceRegistration,
            ["1 85 05 78 006 084 91", "185057800608491", "255 08 14 168 025 38".replacing(" ", with: "")])
        + samples(
            .email,
            [
                "john.doe@example.com", "o'hara+tag@mail.example.co.uk", "a@b.io", "user%40example.com",
                "müller@exämple.de", "x_y-z@xn--bcher-kva.example",
            ])
        + samples(
            .phone,
            [
                "+14155552671", "+1 (415) 555-2671", "+44 20 7946 0958", "+44(0)20 7946 0958", "+49 30 1234567",
                "(415) 555-2671", "415-555-2671", "415.555.2671", "1-415-555-2671", "001-415-555-2671",
                "(415) 555-2671 x123", "415-555-2671x1234", "(415)555-2671 ext. 99", "020 7946 0958", "07700 900123",
                "06 12 34 56 78", "030 12345678", "0171/1234567", "(0151) 4960123", "(11) 98765-4321",
                "0049 30 1234567", "98765 43210",
            ])
        + samples(.ipv4, ["10.11.12.13", "192.168.0.254"])
        + samples(
            .ipv6,
            [
                "2001:db8::8a2e:370:7334", "fe80::1ff:fe23:4567:890a", "::ffff:192.0.2.128",
                "2001:0db8:0000:0000:0000:ff00:0042:8329",
            ])
        + samples(.mac, ["00:1A:2b:3C:4d:5E", "00-1A-2b-3C-4d-5E", "001a.2b3c.4d5e"])
        + samples(
            .bitcoin,
            [
                "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
                "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
            ])
        + samples(.awsKey, ["AKIAIOSFODNN7EXAMPLE"])
        + samples(.jwt, ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"])
        + samples(
            .githubToken,
            ["ghp_" + "abcdefghijklmnopqrstuvwxyz0123456789", "github_pat_" + "11ABCDEFG0abcdefghijkl_mnopqrstuv"])
        + samples(.slackToken, ["xoxb-" + "123456789012-abcdefghijkl"])
        + samples(.stripeKey, ["sk_live_" + "abcdefghij0123456789"])
        + samples(
            .pem,
            [
                "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----",
                "-----BEGIN PRIVATE KEY-----\nMIIB",
            ])

    /// Found where the field's name announces them, and nowhere else.
    static let announced: [Sample] =
        named(.creditCard, "cardNumber", ["9111111111111116".replacing("9111111111111116", with: "9999999999999995")])
        + named(.usSocialSecurity, "customerSSN", ["123456789"])
        + named(.usSocialSecurity, "social_security_number", ["123456789"])
        + named(.usRoutingNumber, "routing-number", ["021000021", "011401533"])
        + named(.usProviderIdentifier, "npi", ["1234567893"])
        + named(.usDrugRegistration, "deaNumber", ["AB1234563"])
        + named(.ukHealthService, "nhs_number", ["9434765919", "943 476 5919"])
        + named(.canadaSocialInsurance, "SIN", ["130692544"])
        + named(.netherlandsCitizen, "burgerservicenummer", ["111222333"])
        + named(.netherlandsCitizen, "bsn", ["111222333", "111.222.333"])
        + named(.indiaAadhaar, "aadhaar_no", ["234567890124"])
        + named(.phone, "phone", ["4155552671", "5552671", "612345678", "0612345678"])
        + named(.phone, "Telefonnummer", ["03012345678", "345 6789"])
        + named(.phone, "customerMobile", ["13800138000"])
        + named(
            .dateOfBirth, "dob",
            ["1990-01-02", "01/02/1990", "2.1.1990", "19900102", "12 March 1990", "March 12, 1990", "02-Jan-1990"])
        + named(.dateOfBirth, "birthDate", ["1990-01-02"])
        + named(.secret, "api_key", ["wJalrXUtnFEMIK7MDENGbPxRfiCY12EXAMPLEKEY", "9f86d081884c7d659a2feaa0c55ad015"])

    @Test(arguments: strong)
    func `what its form gives away is found without context`(sample: Sample) throws {
        let search = try Search()
        let expected = ["\(sample.detector.rawValue): \(sample.part ?? sample.text)"]
        #expect(search.found(sample.text) == expected)
        #expect(search.found("see \(sample.text)") == expected)
        #expect(search.found("(\(sample.text)), and so on") == expected || sample.text.hasPrefix("-"))
        #expect(try Search([sample.detector]).found(sample.text) == expected)
        #expect(search.mayMatch(sample.text))
    }

    @Test(arguments: announced)
    func `a weak form is found where the name announces it, and only there`(sample: Sample) throws {
        let search = try Search()
        #expect(search.found(sample.text, name: sample.name) == ["\(sample.detector.rawValue): \(sample.text)"])
        #expect(try Search([sample.detector]).found(sample.text) == [])
        #expect(search.mayMatch(sample.text))
    }

    @Test(arguments: [
        ("My SSN is 123456789.", "us-ssn: 123456789"), ("Mijn BSN: 111222333", "nl-bsn: 111222333"),
        ("burgerservicenummer 111222333", "nl-bsn: 111222333"), ("NHS number 9434765919", "uk-nhs: 9434765919"),
        ("NPI 1234567893", "us-npi: 1234567893"), ("prescriber DEA# AB1234563", "us-dea: AB1234563"),
        ("ABA routing 021000021", "us-aba: 021000021"), ("call me at 4155552671", "phone: 4155552671"),
        ("call 5552671 now", "phone: 5552671"), ("Tel.: 612345678", "phone: 612345678"),
        ("我的电话13800138000吗", "phone: 13800138000"), ("SIN: 130692544", "ca-sin: 130692544"),
        ("born on 12 March 1990 in Rome", "date-of-birth: 12 March 1990"),
        ("Geburtsdatum: 02.01.1990", "date-of-birth: 02.01.1990"), ("né le 2/1/1990", "date-of-birth: 2/1/1990"),
        ("password=Xk29fLq81mZp07Rt", "secret: Xk29fLq81mZp07Rt"),
        ("Authorization: Bearer Xk29fLq81mZp07RtQ", "secret: Xk29fLq81mZp07RtQ"),
        ("card no 9999999999999995", "credit-card: 9999999999999995"), ("my 4155552671 phone", "phone: 4155552671"),
    ])
    func `words nearby announce as names do`(text: String, expected: String) throws {
        #expect(try Search().found(text) == [expected])
    }

    @Test(arguments: [
        "1699999999999", "1699999999", "1699999999999999", "1699999999999999999", "2024-01-02T03:04:05.123Z",
        "2024-01-02 03:04:05", "2024-01-02", "12:30:45", "20240102030405", "550e8400-e29b-41d4-a716-446655440000",
        "voucher 5567 2670 4238 7466", "F9:7E:A6:EE:0F:7D:28:A8", "DOB unknown, seen 1 time on 12.08.2020",
        "call before 20210207212113", "charge 25878.20 to my mobile", "5567 2670 4238 7466",
        "41111111-1111-4111-8111-111111111111", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "4bf92f3577b34da6a3ce929d0e0e4736", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "1234567890123456", "4111111111111112", "9999999999999995", "37.7749295123456", "0.4111111111111111",
        "123456789", "4155552671", "9434765919", "021000021", "1234567893", "111222333", "130692544", "234567890124",
        "order 4539578763621486", "Order #4155552671", "tracking 44051401359", "000-12-3456", "666-12-3456",
        "123-00-4567", "version 1.2.3.4", "v1.2.3.4", "256.1.1.1", "1.2.3", "1.2.3.4.5", "picture@2x.png", "@mention",
        "user@localhost", "a@b", "std::vector<int>", "a::b", "AB1234567", "12345678A", "S1234567A", "ABCXE1234F",
        "DE89370400440532013001", "1990-01-02", "12 March 1990", "ghp_short", "eyJhbGciOiJIUzI1NiJ9", "AKIA1234",
        "4111 1111", "111111111111111111111111", "12 34 56 78 90 12 34 56", "0000000000000000", "3.14159265358979",
        "1,234,567,890.12", "12345678901234567890123456789012345678901234567890", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLE",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "ISBN 978-3-16-148410-0",
        "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3", "00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00:11:22:33",
    ])
    func `what only resembles is left alone`(text: String) throws {
        let search = try Search()
        #expect(search.found(text) == [])
        #expect(search.found("the \(text) one") == [])
    }

    @Test(arguments: [
        "orderId", "order_number", "traceId", "timestamp", "trackingNumber", "createdAt", "sku", "invoice_no",
    ])
    func `a name that says otherwise is believed of bare digits`(name: String) throws {
        let search = try Search()
        for digits in ["44051401359", "12345678909", "123456789", "4155552671", "4222222222222"] {
            #expect(search.found(digits, name: name) == [])
        }
        #expect(search.found("4539 5787 6362 1486", name: name) == ["credit-card: 4539 5787 6362 1486"])
    }

    @Test(arguments: ["4539578763621486", "378282246310005"])
    func `of a card's 15 or 16 digits only the word for another number is believed`(card: String) throws {
        let search = try Search()
        for name in ["orderId", "order_number", "traceId", "trackingNumber", "sku", "invoice_no", "orderReference"] {
            #expect(search.found(card, name: name) == [], "\(name)")
        }
        for name in [
            "reference", "ref", "created", "createdAt", "timestamp", "price", "total", "transactionId", "version",
        ] {
            #expect(search.found(card, name: name) == ["credit-card: \(card)"], "\(name)")
        }
        for word in ["ref", "price", "reference no", "time", "transaction"] {
            #expect(search.found("\(word) \(card)") == ["credit-card: \(card)"], "\(word)")
        }
        #expect(search.found("order \(card)") == [])
        #expect(search.found("1699999999999999", name: "created") == [], "microseconds since 1970")
    }

    @Test(arguments: [
        "+1 123 456 7890", "+49 000 0000000", "+44 99 9999 9999", "222-222-2222", "222 222 2222",
        "0044 99 9999 9999", "00 000 000 000",
    ])
    func `a telephone number in a range that nobody has is one only where it is announced`(text: String) throws {
        let search = try Search()
        #expect(search.found(text) == [])
        #expect(search.found("see \(text), and so on") == [])
        #expect(search.found(text, name: "phone") == ["phone: \(text)"])
        #expect(search.found("call \(text)") == ["phone: \(text)"])
        #expect(search.mayMatch(text))
    }

    @Test func `of an international number's groups those are taken that are assigned together`() throws {
        #expect(try Search().found("+1 415 555 2671 12") == ["phone: +1 415 555 2671"])
        #expect(try Search().found("+44 20 7946 0958 1") == ["phone: +44 20 7946 0958"])
    }

    @Test func `of words before a number the nearer one holds`() throws {
        let search = try Search()
        #expect(search.found("my SSN is 123456789, order 987654320") == ["us-ssn: 123456789"])
        #expect(
            search.found("SSN#: 010-85-3972, BSN: 612084760") == ["us-ssn: 010-85-3972", "nl-bsn: 612084760"])
        #expect(search.found("order 987654320, SSN 123456789") == ["us-ssn: 123456789"])
    }
}
