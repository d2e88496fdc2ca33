import TidegateCore
import TidegateWire

/// What is written in the place of a value.
extension JSONScanner {
    /// Copies what was read and not written.
    mutating func copy(to end: Int) {
        unsafe output.append(contentsOf: bytes(copied, end))
        copied = end
    }

    /// Puts in the place of a value what its rule's action makes of it. Types hold: what is no text becomes a number again,
    /// or null.
    mutating func replace(_ start: Int, _ end: Int, _ rule: Int) {
        if byte(start) == UInt8(ascii: "n") { return }  // null tells nothing
        if !workspace.isKey, case .nothing = workspace.opens, let replacement = workspace.acts[rule].replacement {
            copy(to: start)
            let value = unsafe bytes(start, end).bytes
            replacement.append(json: value, to: &output)
            workspace.acted(rule, bytes: explains ? textCount(start, end) : 0)
        } else {
            guard act(start, end, rule) else { return }
        }
        copied = end
        edits &+= 1
    }

    /// - Returns: false where the value stays as it is.
    mutating func act(_ start: Int, _ end: Int, _ rule: Int) -> Bool {
        let first = byte(start)
        let isText = first == UInt8(ascii: "\"")
        let isNumber = first == UInt8(ascii: "-") || first &- 48 < 10
        let made = workspace.replaced.count
        workspace.subjects.position = start
        var outcome = MaskingWorkspace.Inspection.null
        if isText || isNumber {
            outcome = unsafe withText(start, end, isText: isText) { text, workspace in
                var replaced = workspace.takeReplaced()
                let outcome = unsafe workspace.replace(text.bytes, rule: rule, isNumber: isNumber, into: &replaced)
                workspace.replaced = replaced
                return outcome
            }
        } else {
            workspace.acted(rule)
        }
        defer { workspace.replaced.removeLast(workspace.replaced.count - made) }
        return write(outcome, from: made, isText: isText, start, end)
    }

    /// Writes what became of a value that begins at `start`; what was made of it stands in the workspace from `made` on.
    mutating func write(
        _ outcome: MaskingWorkspace.Inspection, from made: Int, isText: Bool, _ start: Int, _ end: Int
    ) -> Bool {
        if workspace.isKey, !keepsType(outcome, from: made, isText: isText) { return writeToken(start, end) }
        switch outcome {
        case .unchanged: return false
        case .edited:
            copy(to: start)
            let text = workspace.replaced[made...]
            if isText {
                JSONEscapes.appendString(text, to: &output)
            } else if JSONEscapes.isNumber(text) {
                output.append(contentsOf: text)
            } else {
                output.append(word: JSONScanner.null)
            }
        case .null:
            copy(to: start)
            output.append(word: JSONScanner.null)
        case .failed:
            copy(to: start)
            failures &+= 1
            if isText {
                JSONEscapes.appendString(MaskingProfile.redacted[...], to: &output)
            } else {
                output.append(word: JSONScanner.null)
            }
        }
        return true
    }
    static let null: UInt32 = 0x6c6c_756e

    /// True where what was made of a value in a key is of its type; null and fixed texts would make two keys one.
    private func keepsType(_ outcome: MaskingWorkspace.Inspection, from made: Int, isText: Bool) -> Bool {
        switch outcome {
        case .unchanged: true
        case .edited: isText || JSONEscapes.isNumber(workspace.replaced[made...])
        case .null, .failed: false
        }
    }

    /// Writes, in a key, the token of all of a value's bytes, whatever its type is.
    private mutating func writeToken(_ start: Int, _ end: Int) -> Bool {
        copy(to: start)
        output.append(UInt8(ascii: "\""))
        if unsafe !workspace.appendWholeKey(bytes(start, end).bytes, to: &output) { failures &+= 1 }
        output.append(UInt8(ascii: "\""))
        return true
    }

    /// Calls `body` with the text of a string, unescaped, or of a number.
    mutating func withText<Result>(
        _ start: Int, _ end: Int, isText: Bool, _ body: (UnsafeRawBufferPointer, MaskingWorkspace) -> Result
    ) -> Result {
        if !isText { return unsafe body(bytes(start, end), workspace) }
        let inside = unsafe bytes(start &+ 1, end &- 1)
        if unsafe !inside.contains(UInt8(ascii: "\\")) { return unsafe body(inside, workspace) }
        var plain = workspace.takePlain()
        unsafe JSONEscapes.appendText(of: inside, to: &plain)
        let result = unsafe plain.withUnsafeBytes { unsafe body($0, workspace) }
        workspace.plain = plain
        return result
    }

    mutating func textCount(_ start: Int, _ end: Int) -> Int {
        unsafe withText(start, end, isText: byte(start) == UInt8(ascii: "\"")) { text, _ in text.count }
    }
}
