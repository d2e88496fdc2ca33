import Foundation
import Testing
import TidegateCore
import TidegateMasking

/// Digits as a number: a fraction, an exponent or the type that holds them hides nothing from detectors.
struct NumberMaskingTests {
    static let forms = [
        "4111111111111111", "4111111111111111.0", "4111111111111111.00", "4.111111111111111e15",
        "4.111111111111111E+15",
        "0.4111111111111111e16", "0.0004111111111111111e19", "41111111111111110e-1",
        "4111111111111111." + String(repeating: "0", count: 120),
        "0.4111111111111111" + String(repeating: "0", count: 50) + "e16",
        "0." + String(repeating: "0", count: 2000) + "4111111111111111e2016", "4111111111111111e0",
        "4111111111111111.0e-00",
        "411111111111111100000e-0000000000000000000005", "-4111111111111111.0",
    ]

    @Test(arguments: forms)
    func `a card is found in any form of a number`(form: String) throws {
        let fixture = try EngineFixture.detecting("credit-card")
        #expect(fixture.json("{\"a\":\(form)}") == #"{"a":null}"#)
        let masked = try #require(fixture.json("{\"a\":\"\(form)\"}"))
        #expect(masked.contains("[x]") && !masked.contains("111"), "\(masked)")
        #expect(fixture.text(form)?.contains("111") == false)
        for type: UInt32 in [25, 701, 1700] {
            let column = fixture.field(.column, Array(form.utf8), name: "public.orders.a", type: type)
            #expect(column.outcome != .unchanged && !column.text.contains("111"), "\(type): \(column.text)")
        }
    }

    @Test(arguments: [
        "4111111111111111.5", "4.1", "0.0", "12.3456789", "1e400", "1e999999999999", "0.00000000000000000000001",
        "4111111111111111e1", "1700000000.123456", "0e15000000", "00000000.0", "-.", "4111111111111111.", "e1111111",
    ])
    func `other numbers stay`(form: String) throws {
        let fixture = try EngineFixture.detecting("credit-card")
        let isNumber = (try? JSONSerialization.jsonObject(with: Data("[\(form)]".utf8))) != nil
        if isNumber { #expect(fixture.json("{\"a\":\(form)}") == "{\"a\":\(form)}") }
        guard form.hasSuffix(".") && form.count > 2 else {
            #expect(fixture.text(form) == form)
            return
        }
        #expect(fixture.text(form) == "[x]" || fixture.text(form) == "[x].")
    }

    @Test func `binary columns and leaves of schemas are looked at as digits`() throws {
        let fixture = try EngineFixture.detecting("credit-card")
        let double = withUnsafeBytes(of: Double(4_111_111_111_111_111).bitPattern.bigEndian) { Array($0) }
        #expect(fixture.field(.column, double, name: "a", type: 701, isBinary: true).outcome == .null)
        // 4111111111111111.00: four groups of four digits, of weight 3, with a scale of 2.
        let numeric: [UInt8] = [0, 4, 0, 3, 0, 0, 0, 2] + (0..<4).flatMap { $0 == 0 ? [0x10, 0x0f] : [0x04, 0x57] }
        #expect(fixture.field(.column, numeric, name: "a", type: 1700, isBinary: true).outcome == .null)

        let path = FileManager.default.temporaryDirectory.path + "/tidegate-\(UUID().uuidString).avsc"
        let schema = #"""
            {"type":"record","name":"P","fields":[{"name":"a","type":"double"},{"name":"b","type":
             {"type":"bytes","logicalType":"decimal","precision":20,"scale":2}},{"name":"c","type":"long"}]}
            """#
        try schema.write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let profile = try MaskingProfile(
            MaskingProfileSettings(
                name: "s", rules: [MaskingRule(.detectors(["credit-card"]), action: .redact("x"))],
                schemas: [FileSchemaSettings(resources: ["orders"], file: path)]), EngineFixture.material())
        let unscaled = withUnsafeBytes(of: Int64(411_111_111_111_111_100).bigEndian) { Array($0) }
        let payload = double.reversed() + [16] + unscaled + [2]
        var scratch: [UInt8] = []
        var outcomes: [MaskOutcome] = []
        var counters = MaskCounters()
        let fields = [MaskField(part: .value, range: 0..<payload.count)]
        _ = unsafe profile.mask(
            fields.span, in: payload.span.bytes, for: MaskRequest(resource: Array("orders".utf8)), into: &scratch,
            outcomes: &outcomes, counters: &counters)
        // Zeros of their types: no union says null.
        #expect(scratch == [0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2])
        #expect(counters.maskedFields == 2)
    }
}
