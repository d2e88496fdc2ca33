import Foundation
import TestSupport
import Testing
import TidegateTokens

@Suite struct DateTests {
    private func moved(_ text: String, _ days: Int, _ unit: EpochUnit? = nil) -> String? {
        let bytes = Array(text.utf8)
        return written { DateText.append(bytes.span.bytes, movedBy: days, unit: unit, to: &$0) }
    }

    private func start(_ text: String, _ precision: DatePrecision, isCut: Bool = false) -> String? {
        let bytes = Array(text.utf8)
        return written { DateText.append(bytes.span.bytes, startOf: precision, isCut: isCut, to: &$0) }
    }

    @Test(arguments: [
        ("2024-05-17", 1, "2024-05-18"), ("2024-02-28", 1, "2024-02-29"), ("2023-02-28", 1, "2023-03-01"),
        ("2024-01-01", -1, "2023-12-31"), ("2024/05/17", 30, "2024/06/16"), ("2024.12.31", 1, "2025.01.01"),
        ("20240517", -17, "20240430"), ("1900-02-28", 1, "1900-03-01"), ("2000-02-28", 1, "2000-02-29"),
        ("2024-05-17T10:11:12.123+02:00", 1, "2024-05-18T10:11:12.123+02:00"),
        ("2024-05-17T10:11:12Z", -365, "2023-05-18T10:11:12Z"), ("2024-05-17t10:11z", 1, "2024-05-18t10:11z"),
        ("2024-05-17 10:11:12.123456+00", 1, "2024-05-18 10:11:12.123456+00"),
        ("2024-05-17 10:11:12", 1, "2024-05-18 10:11:12"), ("2024-05-17T24:00:00-0330", 1, "2024-05-18T24:00:00-0330"),
        ("1715900000", 1, "1715986400"), ("1715900000123", -2, "1715727200123"), ("-1715900000", 1, "-1715813600"),
        ("1715900000123456", 1, "1715986400123456"), ("1715900000123456789", 1, "1715986400123456789"),
        ("0001-01-02", -1, "0001-01-01"), ("9999-12-30", 1, "9999-12-31"),
    ])
    func `dates move and keep their layout`(text: String, days: Int, expected: String) {
        #expect(moved(text, days) == expected)
        #expect(moved(expected, -days) == text)
    }

    @Test(arguments: [
        "", "2024", "2024-05", "2024-5-17", "2024-13-01", "2024-00-10", "2024-02-30", "2023-02-29", "1900-02-29",
        "0000-01-01", "2024-05/17", "2024-05-17T", "2024-05-17T10", "2024-05-17T25:00", "2024-05-17T10:60",
        "2024-05-17T10:11:61", "2024-05-17T10:11:12.", "2024-05-17T10:11:12+", "2024-05-17T10:11:12+2", "2024-05-17x",
        "2024-05-17T10:11:12Z ", " 2024-05-17", "17/05/2024", "12345678", "1234567", "20241301", "012345678901",
        "1715900000.5", "1e9", "99999999999999999999", "-", "--1715900000", "17159000001234567890",
    ])
    func `what is no date, or might be another one, does not move`(text: String) {
        #expect(moved(text, 1) == nil)
        #expect(start(text, .month) == nil)
    }

    @Test func `a date does not move out of the years 1 to 9999`() {
        #expect(moved("0001-01-01", -1) == nil)
        #expect(moved("9999-12-31", 1) == nil)
        #expect(moved("2024-05-17", .max) == nil)
        #expect(moved("2024-05-17", .min) == nil)
        #expect(moved("9223372036854775807", 1) == nil)
        #expect(moved("1715900000", .max) == nil)
    }

    @Test func `a number is what its unit says, where one is given`() {
        #expect(moved("19860", 3, .days) == "19863")
        #expect(moved("0", -1, .days) == "-1")
        #expect(moved("20240517", 1, .seconds) == "20326917")
        #expect(moved("-1", 1, .milliseconds) == "86399999")
        #expect(moved("2024-05-17", 1, .days) == nil)
        #expect(moved("-0", 1, .days) == nil)
    }

    @Test(arguments: [
        ("2024-05-17", "2024-05-01", "2024-01-01"), ("20240517", "20240501", "20240101"),
        ("2024-05-17T10:11:12.123+02:30", "2024-05-01T00:00:00.000+02:30", "2024-01-01T00:00:00.000+02:30"),
        ("2024-05-17 10:11:12.5-08", "2024-05-01 00:00:00.0-08", "2024-01-01 00:00:00.0-08"),
        ("2024-05-17T10:11Z", "2024-05-01T00:00Z", "2024-01-01T00:00Z"),
        ("1715900000", "1714521600", "1704067200"), ("1715900000123", "1714521600000", "1704067200000"),
        ("-100000000", "-102643200", "-126230400"),
    ])
    func `month and year begin at their first moment, in the same layout`(
        text: String, month: String, year: String
    ) throws {
        #expect(start(text, .month) == month)
        #expect(start(text, .year) == year)
        #expect(start(month, .month) == month)
        if text.count > 8, let number = Int(text) {
            // As Foundation's calendar has it.
            var calendar = Calendar(identifier: .gregorian)
            calendar.timeZone = try #require(TimeZone(secondsFromGMT: 0))
            let isMilliseconds = text.count == 13
            let date = Date(timeIntervalSince1970: Double(isMilliseconds ? number / 1000 : number))
            let expected = try #require(calendar.dateInterval(of: .month, for: date)).start.timeIntervalSince1970
            #expect(start(text, .month) == "\(Int(expected) * (isMilliseconds ? 1000 : 1))")
        }
    }

    @Test func `cut, only year and month are left`() {
        #expect(start("2024-05-17T10:11:12Z", .month, isCut: true) == "2024-05")
        #expect(start("2024/05/17", .year, isCut: true) == "2024")
        #expect(start("20240517", .month, isCut: true) == "202405")
        #expect(start("1715900000", .month, isCut: true) == nil)
    }

    @Test func `days are those of Foundation's calendar, over four hundred years and more`() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(secondsFromGMT: 0))
        let first = try #require(calendar.date(from: DateComponents(year: 1890, month: 1, day: 1)))
        for day in stride(from: 0, to: 160_000, by: 17) {
            let date = first.addingTimeInterval(Double(day) * 86_400)
            let parts = calendar.dateComponents([.year, .month, .day], from: date)
            let text = String(format: "%04d-%02d-%02d", parts.year ?? 0, parts.month ?? 0, parts.day ?? 0)
            #expect(moved("1890-01-01", day) == text)
        }
    }

    @Test func `a subject's dates move alike, others' otherwise, and none stays`() throws {
        let key = try TokenFixture.key()
        let shift = try DateShift(key: key, domain: "patient", days: 10, normalisation: .caseless)
        let other = try DateShift(key: key, domain: "visitor", days: 10)
        var scratch = Array("kept".utf8)
        func days(_ shift: DateShift, _ subject: String) -> Int {
            shift.shift(for: Array(subject.utf8).span.bytes, scratch: &scratch)
        }
        #expect(days(shift, "Jane ") == days(shift, "jane"))
        let many = (0..<4000).map { days(shift, "patient \($0)") }
        #expect(Set(many) == Set(-10...10).subtracting([0]))
        for day in Set(many) { #expect((120...280).contains(many.filter { $0 == day }.count), "of 200 expected") }
        #expect(many != (0..<4000).map { days(other, "patient \($0)") })
        #expect(scratch == Array("kept".utf8))
        #expect(throws: TokenSettingsError.self) { try DateShift(key: key, domain: "d", days: 0) }
        #expect(throws: TokenSettingsError.self) { try DateShift(key: key, domain: "d", days: 36_526) }
        #expect(throws: TokenSettingsError.self) { try DateShift(key: key, domain: "", days: 1) }
    }
}
