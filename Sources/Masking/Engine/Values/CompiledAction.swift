import TidegateCore
import TidegateTokens
import TidegateWire

/// What stands in the place of a value that a rule names, made ready when the profile is compiled.
struct CompiledAction: Sendable {
    enum Kind: Sendable {
        case replacement(Replacement)
        case email(MaskingAction.EmailPart)
        case bucket(NumberBuckets)
        case coarsen(MaskingAction.DatePart)
        case shiftDate(DateShift)
        case token(Tokenizer, domain: String)
    }

    let kind: Kind
    /// As the configuration has it.
    let word: String
    /// Two values never become one, and one is always the same.
    let isInjective: Bool
    /// The member or element goes, where there is one around the value.
    var isRemoval = false
    /// Nothing at all is left of a text.
    var isNull = false
    /// Where it stands whose dates are moved, and the slot that it is kept in.
    var subjectPath: String?
    var subjectSlot: Int?

    // MARK: Compiling

    static func compile(
        _ action: MaskingAction, _ keys: [String: MaskingKey]
    ) -> Result<CompiledAction, TokenSettingsError> {
        do throws(TokenSettingsError) {
            return .success(try CompiledAction(action, keys))
        } catch {
            return .failure(error)
        }
    }

    /// Of tokens that stand for all bytes of a record key, or of a value in it: a number and the text of its digits are two.
    static let wholeKeyDomain = "record-key-bytes"

    /// What a record key's find becomes where the rule's own action could make two keys one.
    static func forKeys(_ keys: [String: MaskingKey], domain: String = "record-key") -> CompiledAction? {
        guard keys["default"] != nil else { return nil }
        let settings = TokenSettings(key: "default", domain: domain, form: .opaque)
        return try? CompiledAction(.token(settings), keys)
    }

    private init(_ action: MaskingAction, _ keys: [String: MaskingKey]) throws(TokenSettingsError) {
        var isInjective = false
        switch action {
        case .redact, .nullify, .drop: kind = .replacement(Replacement(action))
        case .keepFirst(let count), .keepLast(let count):
            guard (1...1024).contains(count) else {
                throw TokenSettingsError("\(count) characters cannot be kept", suggestion: "a number from 1 to 1024")
            }
            kind = .replacement(Replacement(action))
        case .email(let part): kind = .email(part)
        case .bucket(let width):
            kind = .bucket(try NumberBuckets(size: width))
        case .coarsen(let part): kind = .coarsen(part)
        case .shiftDate(let settings):
            kind = .shiftDate(
                try DateShift(key: CompiledAction.key(settings.key, keys), domain: settings.domain, days: settings.days)
            )
            subjectPath = settings.subject
        case .token(let settings):
            let tokenizer = try Tokenizer(
                key: CompiledAction.key(settings.key, keys), domain: settings.domain, form: settings.form,
                normalisation: settings.normalisation)
            kind = .token(tokenizer, domain: settings.domain)
            isInjective = tokenizer.isInjective
        }
        self.isInjective = isInjective
        word = action.word
        isRemoval = action == .drop
        isNull = action == .drop || action == .nullify
    }

    private static func key(_ name: String, _ keys: [String: MaskingKey]) throws(TokenSettingsError) -> MaskingKey {
        if let key = keys[name] { return key }
        throw TokenSettingsError(
            "there is no masking key '\(name)'",
            suggestion: keys.isEmpty
                ? "masking.keys: { \(name): { file: secrets/masking-key, version: 1 } }"
                : "one of \(keys.keys.sorted().joined(separator: ", "))")
    }

    // MARK: Acting

    /// Appends what stands for a text.
    ///
    /// - Parameters:
    ///   - isNumber: what is appended is to be a number again.
    ///   - subjects: whose dates are moved.
    /// - Returns: false where the action can make nothing of it; something may have been appended.
    func append(_ text: RawSpan, isNumber: Bool, _ subjects: DateSubjects, into output: inout [UInt8]) -> Bool {
        switch kind {
        case .replacement(let replacement):
            replacement.append(text: text, to: &output)
            return true
        case .email(let part):
            MailAddress.append(text, keeping: part, to: &output)
            return true
        case .bucket(let buckets): return buckets.append(lowerBoundOf: text, to: &output)
        case .coarsen(let part):
            return DateText.append(text, startOf: part == .month ? .month : .year, to: &output)
        case .shiftDate(let shift):
            var days = 0
            if let slot = subjectSlot {
                guard let subject = subjects.subject(slot) else { return false }
                let texts = subjects.texts
                days = unsafe shift.shift(for: texts.span.bytes.extracting(subject), scratch: &output)
            } else {
                days = shift.shift(for: RawSpan(), scratch: &output)
            }
            return DateText.append(text, movedBy: days, to: &output)
        case .token(let tokenizer, _):
            return isNumber ? tokenizer.append(number: text, to: &output) : tokenizer.append(text, to: &output)
        }
    }

    enum Opening {
        /// The clear text was appended.
        case opened
        /// It is no token: for whom tokens are opened it stands in clear.
        case clear
        /// The action cannot be undone, or not for this reader.
        case notOpenable
    }

    /// Appends what a token stands for, to a reader who may see it.
    ///
    /// - Parameter isNumber: the text is a number's: no token.
    func open(_ text: RawSpan, isNumber: Bool, _ scope: UnmaskScope, into output: inout [UInt8]) -> Opening {
        guard case .token(let tokenizer, let domain) = kind, tokenizer.form.opensByItself, scope.includes(domain) else {
            return .notOpenable
        }
        if !isNumber, case .opened = tokenizer.open(text, to: &output) { return .opened }
        return .clear
    }

    /// The reader sees what the action would hide.
    func isOpen(to scope: UnmaskScope) -> Bool {
        guard case .token(let tokenizer, let domain) = kind else { return false }
        return tokenizer.form.opensByItself && scope.includes(domain)
    }
}

extension MaskingAction {
    /// As the configuration has it.
    var word: String {
        switch self {
        case .redact: "redact"
        case .keepFirst: "keepFirst"
        case .keepLast: "keepLast"
        case .email: "email"
        case .nullify: "nullify"
        case .drop: "drop"
        case .bucket, .coarsen: "generalise"
        case .shiftDate: "shiftDate"
        case .token(let settings):
            switch settings.form {
            case .reversible, .sealed: "encrypt"
            case .opaque, .preserving: "token"
            }
        }
    }
}
