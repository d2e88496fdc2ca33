import TidegateCore
import TidegateMasking
import TidegateTokens

extension ConfigurationBuilder {
    /// - Parameter profile: whose tokens' domains are noted.
    /// - Returns: nil where the schema refuses what stands there.
    mutating func action(_ node: ConfigurationNode?, in profile: String) -> MaskingAction? {
        guard let node else { return nil }
        switch node.text {
        case "redact": return .redact("[redacted]")
        case "nullify": return .nullify
        case "drop": return .drop
        default: break
        }
        guard let (key, value) = node.entries.first, node.entries.count == 1 else { return nil }
        switch key.text {
        case "redact": return value.text.map { .redact($0) }
        case "keepFirst": return value.integer.flatMap { 1...1024 ~= $0 ? .keepFirst($0) : nil }
        case "keepLast": return value.integer.flatMap { 1...1024 ~= $0 ? .keepLast($0) : nil }
        case "email": return value.text.flatMap { MaskingAction.EmailPart(rawValue: $0) }.map { .email($0) }
        case "generalise":
            if let width = value["bucket"]?.text, TextForms.isWidth(width) { return .bucket(width: width) }
            return value["date"]?.text.flatMap { MaskingAction.DatePart(rawValue: $0) }.map { .coarsen($0) }
        case "shiftDate": return shiftDate(value)
        case "token":
            let (key, domain) = keyAndDomain(value)
            let form = form(value)
            guard let domain, let form else { return nil }
            note(domain, of: profile, opens: form.opensByItself)
            let normalisation = value["normalise"]?.text.flatMap { Normalisation(rawValue: $0) } ?? .none
            return .token(TokenSettings(key: key, domain: domain, form: form, normalisation: normalisation))
        case "encrypt":
            let (key, domain) = keyAndDomain(value)
            guard let domain, let mode = value["mode"]?.text else { return nil }
            let form = mode == "random" ? TokenForm.sealed : .reversible
            note(domain, of: profile, opens: form.opensByItself)
            return .token(TokenSettings(key: key, domain: domain, form: form))
        default: return nil
        }
    }

    private mutating func note(_ domain: String, of profile: String, opens: Bool) {
        let known = domains[profile, default: [:]][domain] ?? false
        domains[profile, default: [:]][domain] = known || opens
    }

    private mutating func keyAndDomain(_ node: ConfigurationNode) -> (key: String, domain: String?) {
        let key = node["key"]?.text ?? "default"
        needsKey(node["key"], key, from: node)
        return (key, node["domain"]?.text)
    }

    private mutating func shiftDate(_ node: ConfigurationNode) -> MaskingAction? {
        let (key, domain) = keyAndDomain(node)
        guard let domain, let days = node["days"]?.integer else { return nil }
        return .shiftDate(DateShiftSettings(key: key, domain: domain, days: days, subject: node["subject"]?.text))
    }

    /// An opaque token, or one of the value's own layout.
    private mutating func form(_ node: ConfigurationNode) -> TokenForm? {
        guard let format = node["format"] else {
            for key in ["keepFirst", "keepLast", "luhn", "length"] {
                guard let place = node[key] else { continue }
                report(
                    place, "'\(key)' stands beside 'format' only: an opaque token has nothing of its value",
                    "format: digits, or leave it out")
            }
            return .opaque
        }
        guard let word = format.text, TokenFormat.all.contains(word) else { return nil }
        let shape = TokenFormat.shapes.first { $0.word == word }?.shape
        if shape != nil, let length = node["length"] {
            report(length, "'\(word)' says how long values are", "leave 'length' out, or an alphabet such as digits")
        }
        return .preserving(
            PreservingSettings(
                alphabet: TokenAlphabet(rawValue: word) ?? .digits, keepFirst: node["keepFirst"]?.integer ?? 0,
                keepLast: node["keepLast"]?.integer ?? 0,
                luhn: node["luhn"]?.text.flatMap { LuhnRule(rawValue: $0) },
                shape: shape ?? node["length"]?.integer.map { .length($0) }))
    }
}
