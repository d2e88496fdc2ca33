import Testing
import TidegateDetection

struct DetectorSetTests {
    private func findings(_ set: DetectorSet, _ text: String, name: String = "") -> [Finding] {
        var pass = DetectionPass()
        let text = Array(text.utf8)
        let name = Array(name.utf8)
        set.find(in: text.span.bytes, name: name.span.bytes, &pass)
        return pass.findings
    }

    @Test func `every detector has the name that the documentation gives it`() {
        #expect(
            BuiltInDetector.allCases.map(\.rawValue) == [
                "credit-card", "us-ssn", "us-itin", "iban", "us-aba", "us-npi", "us-mbi", "us-dea", "uk-nhs", "uk-nino",
                "ca-sin", "in-aadhaar", "in-pan", "pl-pesel", "es-nif", "it-codice-fiscale", "de-tax-id", "sg-nric",
                "br-cpf", "br-cnpj", "cn-resident-id", "nl-bsn", "fr-nir", "email", "phone", "ipv4", "ipv6", "mac",
                "btc",
                "date-of-birth", "aws-key", "jwt", "pem", "github-token", "slack-token", "stripe-key", "secret",
            ])
    }

    @Test func `a finding says its detector's place in the list, the first of two alike`() throws {
        let badge = try UserPattern(name: "badge", pattern: "B-[0-9]{3}")
        let set = try DetectorSet([.user(badge), .builtIn(.email), .builtIn(.creditCard), .builtIn(.email)])
        #expect(set.count == 4)
        #expect(findings(set, "B-123 a@b.io 4111111111111111").map(\.detector) == [0, 1, 2])
    }

    @Test func `users' patterns find in folded text too, and lose against what holds them`() throws {
        let digits = try UserPattern(name: "four", pattern: "[0-9]{4}")
        let set = try DetectorSet([.user(digits), .builtIn(.creditCard)])
        #expect(findings(set, "x １２３４ y") == [Finding(start: 2, end: 14, detector: 0, confidence: 70)])
        let card = findings(set, "4111 1111 1111 1111")
        #expect(card == [Finding(start: 0, end: 19, detector: 1, confidence: 90)])
        let nothing = Array("nothing".utf8)
        let mayMatch = set.mayMatch(nothing.span.bytes)
        #expect(mayMatch)
    }

    @Test func `context makes a user's pattern surer`() throws {
        let badge = try UserPattern(name: "badge", pattern: "B[0-9]{5}", context: ["badge"])
        let set = try DetectorSet([.user(badge)])
        #expect(findings(set, "B12345").map(\.confidence) == [70])
        #expect(findings(set, "B12345", name: "badge_no").map(\.confidence) == [85])
        #expect(findings(set, "B12345", name: "badge_no").map(\.confidence) == [85])
        #expect(findings(set, "his badge: B12345").map(\.confidence) == [85])
    }

    @Test func `a set without detectors finds nothing`() throws {
        let set = try DetectorSet([])
        #expect(findings(set, "4111111111111111 a@b.io") == [])
        let text = Array("4111111111111111 a@b.io".utf8)
        let mayMatch = set.mayMatch(text.span.bytes)
        #expect(!mayMatch)
    }

    @Test func `a pass serves sets and texts one after the other`() throws {
        var pass = DetectionPass()
        let email = try DetectorSet([.builtIn(.email)])
        let identity = try DetectorSet([.builtIn(.usSocialSecurity)])
        let text = Array("a@b.io 123456789".utf8)
        let name = Array("ssn".utf8)
        for _ in 0..<3 {
            email.find(in: text.span.bytes, name: name.span.bytes, &pass)
            #expect(pass.findings.map(\.range) == [0..<6])
            let mayMatch = identity.mayMatch(text.span.bytes, &pass)
            #expect(mayMatch)
            identity.find(in: text.span.bytes, name: name.span.bytes, &pass)
            #expect(pass.findings.map(\.range) == [7..<16])
            identity.find(in: [UInt8]().span.bytes, name: name.span.bytes, &pass)
            #expect(pass.findings.isEmpty)
        }
    }
}
