import Foundation
import Testing
import TidegateCore
import TidegateMasking
import TidegateTokens

/// Dates move with their own subject, wherever both stand, or not at all.
struct DateSubjectTests {
    private static func shift(_ subject: String?) -> MaskingAction {
        .shiftDate(DateShiftSettings(key: "default", domain: "visits", days: 5000, subject: subject))
    }
    private static let date = "2024-05-17"
    private static let rules = [MaskingRule(field: "**.date", action: shift("**.patient"))]

    /// Where the date of each subject moves to: alone in a document.
    private static func moved(_ subject: String) throws -> String {
        let masked = try EngineFixture(rules).json(#"{"patient":"\#(subject)","date":"\#(date)"}"#) ?? ""
        let object = try JSONSerialization.jsonObject(with: Data(masked.utf8)) as? [String: String]
        return object?["date"] ?? ""
    }

    @Test func `a date moves with the nearest subject around it`() throws {
        let fixture = try EngineFixture(DateSubjectTests.rules)
        let (one, two) = (try DateSubjectTests.moved("p1"), try DateSubjectTests.moved("p2"))
        #expect(one != two && one != DateSubjectTests.date && two != DateSubjectTests.date)
        let list =
            #"[{"patient":"p1","date":"2024-05-17"},{"date":"2024-05-17","v":[{"date":"2024-05-17"}],"patient":"p2"}]"#
        #expect(
            fixture.json(list)
                == #"[{"patient":"p1","date":"\#(one)"},{"date":"\#(two)","v":[{"date":"\#(two)"}],"patient":"p2"}]"#)
        let nested =
            #"{"patient":"p1","date":"2024-05-17","child":{"patient":"p2","date":"2024-05-17"},"x":{"date":"2024-05-17"}}"#
        // Of what stands around both, nobody can say whose it is: the outer date has a patient of its own, and one below.
        let masked = try #require(fixture.json(nested))
        #expect(masked.contains(#""child":{"patient":"p2","date":"\#(two)"}"#), "\(masked)")
        #expect(!masked.contains(DateSubjectTests.date))
    }

    @Test func `a date without a subject, or with two, is redacted`() throws {
        let fixture = try EngineFixture([MaskingRule(field: "**.date", action: DateSubjectTests.shift("**.patient"))])
        for document in [
            #"{"date":"2024-05-17"}"#, #"{"patient":null,"date":"2024-05-17"}"#,
            #"{"patient":"p1","patient":"p2","date":"2024-05-17"}"#,
            #"{"all":[{"patient":"p1"},{"patient":"p2"}],"date":"2024-05-17"}"#,
        ] {
            let masked = try #require(fixture.json(document))
            #expect(masked.contains(#""date":"[redacted]""#), "\(masked)")
        }
        let others = try #require(fixture.json(#"{"a":[{"patient":"p1"},{"date":"2024-05-17"}]}"#))
        #expect(others.contains(#""date":"[redacted]""#), "another element's subject: \(others)")
        let agreeing = try #require(fixture.json(#"{"a":[{"patient":"p1"},{"patient":"p1"}],"date":"2024-05-17"}"#))
        #expect(agreeing.contains(try DateSubjectTests.moved("p1")))
        let dropping = try EngineFixture(DateSubjectTests.rules, onFailure: .dropRecord)
        #expect(dropping.json(#"{"date":"2024-05-17"}"#) == nil)
    }

    @Test func `rows of lists name their subject by its place`() throws {
        let fixture = try EngineFixture([MaskingRule(field: "[*][1]", action: DateSubjectTests.shift("[*][0]"))])
        #expect(
            fixture.json(#"[["p1","2024-05-17"],["p2","2024-05-17"]]"#)
                == #"[["p1","\#(try DateSubjectTests.moved("p1"))"],["p2","\#(try DateSubjectTests.moved("p2"))"]]"#)
    }

    @Test func `documents in strings have subjects of their own, or those around them`() throws {
        let fixture = try EngineFixture([
            MaskingRule(field: "**.date", action: DateSubjectTests.shift("payload.patient"))
        ])
        func masked(_ inner: String, _ around: String = "") throws -> String {
            let text = String(
                decoding: try JSONSerialization.data(withJSONObject: inner, options: .fragmentsAllowed), as: UTF8.self)
            return try #require(fixture.json(#"{\#(around)"payload":\#(text)}"#))
        }
        for subject in ["p1", "p2"] {
            let made = try masked(#"{"patient":"\#(subject)","date":"2024-05-17"}"#)
            #expect(made.contains(try DateSubjectTests.moved(subject)), "\(made)")
        }
        let around = try EngineFixture([MaskingRule(field: "**.date", action: DateSubjectTests.shift("patient"))])
        #expect(
            try #require(around.json(#"{"patient":"p2","payload":"{\"date\":\"2024-05-17\"}"}"#)).contains(
                DateSubjectTests.moved("p2")))
        #expect(
            try #require(around.json(#"{"patient":"p2","payload":"{\"date\":\"2024-05-17\",\"patient\":\"p1\"}"}"#))
                .contains(
                    DateSubjectTests.moved("p1")))
    }

    @Test func `two rules may have one subject, and two paths of one`() throws {
        let fixture = try EngineFixture([
            MaskingRule(field: "date", action: DateSubjectTests.shift("patient")),
            MaskingRule(field: "birth", action: DateSubjectTests.shift("patient")),
            MaskingRule(field: "death", action: DateSubjectTests.shift("**.patient")),
        ])
        let one = try DateSubjectTests.moved("p1")
        #expect(
            fixture.json(#"{"patient":"p1","date":"2024-05-17","birth":"2024-05-17","death":"2024-05-17"}"#)
                == #"{"patient":"p1","date":"\#(one)","birth":"\#(one)","death":"\#(one)"}"#)
    }

    @Test(arguments: [RecordPart.field, .column])
    func `fields and columns move with the subject of their own record`(part: RecordPart) async throws {
        let profile = try RecordFixture.profile([MaskingRule(field: "date", action: DateSubjectTests.shift("patient"))])
        var records = RecordFixture()
        let prefix = part == .column ? "public.visits." : ""
        func add(_ name: String, _ text: String, _ record: UInt32) {
            records.add(part, text, name: prefix + name, record: record, type: part == .column ? 25 : 0)
        }
        add("date", DateSubjectTests.date, 0)
        add("patient", "p1", 0)
        add("patient", "p2", 1)
        add("date", DateSubjectTests.date, 1)
        add("date", DateSubjectTests.date, 2)
        let (one, two) = (try DateSubjectTests.moved("p1"), try DateSubjectTests.moved("p2"))
        #expect(await records.texts(profile) == [one, "p1", "p2", two, "[redacted]"])
    }

    @Test func `a batch's last document says nothing of the next record`() async throws {
        let profile = try RecordFixture.profile(DateSubjectTests.rules)
        var records = RecordFixture()
        records.add(.value, #"{"patient":"p1","date":"2024-05-17"}"#)
        records.add(.value, #"{"date":"2024-05-17"}"#, record: 1)
        records.add(.header, DateSubjectTests.date, name: "date", record: 2)
        let made = await records.texts(profile)
        #expect(made[1] == #"{"date":"[redacted]"}"# && made[2] == "[redacted]")
    }

    @Test func `Avro and Protobuf move dates with the payload's subject`() async throws {
        let avro =
            #"{"type":"record","name":"V","fields":[{"name":"date","type":"string"},{"name":"patient","type":"string"}]}"#
        let list = #"{"type":"array","items":\#(avro)}"#
        let protobuf = #"syntax = "proto3"; message V { string date = 1; string patient = 2; }"#
        let profile = try RecordFixture.profile(
            [MaskingRule(field: "date", action: DateSubjectTests.shift("patient"))],
            schemas: [(avro, "AVRO"), (list, "AVRO"), (protobuf, "PROTOBUF")])
        var records = RecordFixture()
        let date = RecordFixture.avro(DateSubjectTests.date)
        let one = date + RecordFixture.avro("p1")
        let two = date + RecordFixture.avro("p2")
        records.add(.value, [0, 0, 0, 0, 1] + one)
        records.add(.value, [0, 0, 0, 0, 1] + two, record: 1)
        records.add(.value, [0, 0, 0, 0, 2, 4] + one + two + [0], record: 2)
        records.add(
            .value, [0, 0, 0, 0, 3, 0, 10, 10] + Array(DateSubjectTests.date.utf8) + [18, 2] + Array("p2".utf8),
            record: 3)
        records.add(.value, [0, 0, 0, 0, 3, 0, 10, 10] + Array(DateSubjectTests.date.utf8), record: 4)
        let made = await records.masked(profile)
        let (first, second) = (try DateSubjectTests.moved("p1"), try DateSubjectTests.moved("p2"))
        #expect(made[0] == [0, 0, 0, 0, 1] + RecordFixture.avro(first) + RecordFixture.avro("p1"))
        #expect(made[1] == [0, 0, 0, 0, 1] + RecordFixture.avro(second) + RecordFixture.avro("p2"))
        let redacted = RecordFixture.avro("[redacted]")
        #expect(
            made[2] == [0, 0, 0, 0, 2, 4] + redacted + RecordFixture.avro("p1") + redacted + RecordFixture.avro("p2")
                + [0])
        #expect(made[3] == [0, 0, 0, 0, 3, 0, 10, 10] + Array(second.utf8) + [18, 2] + Array("p2".utf8))
        #expect(made[4] == [0, 0, 0, 0, 3, 0, 10, 10] + Array("[redacted]".utf8))
    }
}
