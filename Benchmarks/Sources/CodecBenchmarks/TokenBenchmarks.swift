import TidegateTokens
import TidegateWire

/// A key of a fixed secret: tokens are the same on every run.
func benchKey() throws -> MaskingKey {
    try MaskingKey(name: "bench", versions: [1: (0..<32).map { UInt8($0 * 7 + 3) }])
}

/// Values that one tokenizer makes tokens of, into a scratch that is kept.
final class TokenizedValues {
    private let tokenizer: Tokenizer
    private let values: [[UInt8]]
    private var scratch: [UInt8] = []

    init(_ tokenizer: Tokenizer, _ values: [[UInt8]]) {
        self.tokenizer = tokenizer
        self.values = values
        make()
    }

    func make() {
        scratch.removeAll(keepingCapacity: true)
        var made = 0
        for index in values.indices {
            let value = values[index]
            if unsafe tokenizer.append(value.span.bytes, to: &scratch) { made += 1 }
        }
        precondition(made == values.count, "\(tokenizer.form) makes \(made) tokens of \(values.count) values")
        keep(scratch.count)
    }
}

extension Suite {
    /// Tokens of e-mail addresses and card numbers; the rate is of tokens.
    func addTokens() throws {
        var chance = SplitMix(state: 4)
        let addresses = (0..<64).map { number in Array("\(chance.word()).\(number)@example.com".utf8) }
        let cards = (0..<64).map { _ in Array(chance.card().utf8) }
        let all = PreservingSettings(shape: .card)
        let middle = PreservingSettings(keepFirst: 6, keepLast: 4, shape: .card)
        let cases: [(String, TokenForm, [[UInt8]])] = [
            ("HMAC of an address", .opaque, addresses),
            ("FF1 of 16 digits", .preserving(PreservingSettings(luhn: .any)), cards),
            ("FF1 of 16 digits, not Luhn-valid", .preserving(all), cards),
            ("FF1 of the middle 6 digits, not Luhn-valid", .preserving(middle), cards),
            ("AES-SIV of an address", .reversible, addresses),
            ("AES-GCM of an address", .sealed, addresses),
        ]
        for (name, form, values) in cases {
            // Nonces are drawn from the system's generator, which now and then allocates.
            let tokenizer = try Tokenizer(key: try benchKey(), domain: "bench", form: form)
            add(
                "tokens/\(name)", allocating: form == .sealed ? .onePerItem : .none, items: values.count,
                on: { TokenizedValues(tokenizer, values) }, { $0.make() })
        }
    }
}
