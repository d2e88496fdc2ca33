import TestSupport
import TidegateSchemas
import TidegateWire

/// A plan with a list and texts, as an engine holds them.
final class Harness {
    let plan: SchemaPlan
    var list = LeafList()

    init(_ schema: Schema, message: Int = 0, _ resolver: some PlaceResolver, _ options: PlanOptions = PlanOptions())
        throws
    {
        plan = try SchemaPlan.compile(schema, message: message, against: resolver, options: options)
    }

    func finds(_ payload: [UInt8]) -> Bool { plan.leaves(in: payload.span.bytes, into: &list) }

    func texts(_ payload: [UInt8]) -> [[UInt8]] {
        list.leaves.map { leaf in
            var text: [UInt8] = []
            plan.appendText(of: leaf, in: payload.span.bytes, to: &text)
            return text
        }
    }

    /// `name=text` for each leaf.
    func described(_ payload: [UInt8]) -> [String] {
        zip(list.leaves, texts(payload)).map { leaf, text in
            let name = String(decoding: plan.fieldName(of: leaf, in: payload.span.bytes), as: UTF8.self)
            return (leaf.isMapKey ? "key of " : "") + name + "=" + String(decoding: text, as: UTF8.self)
        }
    }

    /// The payload with a text for each leaf: nil keeps it, an empty optional inside empties it.
    func rewritten(_ payload: [UInt8], _ edits: [LeafEdit], texts: [UInt8] = []) -> [UInt8]? {
        var output: [UInt8] = [0xab]
        guard plan.rewrite(payload.span.bytes, &list, edits, texts: texts, into: &output), output[0] == 0xab else {
            return nil
        }
        return Array(output.dropFirst())
    }

    /// One payload through all of it: nil where it is refused.
    func masked(_ payload: [UInt8], _ text: String) -> [UInt8]? {
        guard finds(payload) else { return nil }
        let bytes = Array(text.utf8)
        return rewritten(payload, list.leaves.map { _ in .text(0..<bytes.count) }, texts: bytes)
    }
}

/// Edits by seed: a third of the leaves is kept, a third emptied, the rest has a text that may or may not fit.
struct RandomEdits {
    static let pool =
        [
            "***", "", "tok_v1_0123456789abcdef", "42", "-7", "3.25", "-0.5", "1e3", "99999999999999999999",
            "2147483648",
            "2020-02-29", "2021-02-29", "1969-12-31", "2020-02-29T01:02:03.004Z", "2020-02-29T01:02:03.004",
            "05:06:07.008",
            "24:00:00.000", "true", "false", "BETA", "2a4b7c1e-0000-4000-8000-00000000000f",
            "2a4b7c1e-0000-4000-8000-00000000000g", String(repeating: "long text ", count: 40), "漢字",
        ].map { Array($0.utf8) } + [[0xff, 0xfe]]

    var edits: [LeafEdit] = []
    var answers: [OracleAnswer.Edit?] = []
    var texts: [UInt8] = []

    /// - Parameter content: of a leaf, in bytes: a fixed takes a text of its own length alone.
    init(_ leaves: [Leaf], _ random: inout SeededGenerator) {
        for leaf in leaves {
            switch Int.random(in: 0..<3, using: &random) {
            case 0:
                edits.append(.keep)
                answers.append(nil)
            case 1:
                edits.append(.empty)
                answers.append(.init())
            default:
                var text = RandomEdits.pool.randomElement(using: &random) ?? []
                if leaf.kind == .fixed, Bool.random(using: &random) {
                    text = Array(repeating: UInt8(ascii: "x"), count: leaf.content.count)
                }
                // A key is looked at as text by the oracle.
                if leaf.isMapKey, text.contains(0xff) { text = [] }
                edits.append(.text(texts.count..<(texts.count + text.count)))
                answers.append(.init(text: hex(text)))
                texts += text
            }
        }
    }
}
