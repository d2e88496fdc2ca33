import TidegateCore
import TidegateWire

/// Changes to a reply, each in the place of some of its bytes.
struct ReplyEdits {
    private enum Change {
        /// A bulk whose content is a range of the scratch.
        case bulk(Range<Int>)
        case words([UInt8])
        /// The header of an aggregate that has fewer elements now.
        case header(RESPToken, Int)
        case nothing
    }
    private var edits: [(range: Range<Int>, change: Change)] = []
    private var isSorted = true

    var isEmpty: Bool { edits.isEmpty }

    mutating func empty() {
        edits.removeAll(keepingCapacity: true)
        isSorted = true
    }

    mutating func put(bulk content: Range<Int>, for range: Range<Int>) { append(range, .bulk(content)) }
    mutating func put(_ words: [UInt8], for range: Range<Int>) { append(range, .words(words)) }
    mutating func remove(_ range: Range<Int>) { append(range, .nothing) }
    mutating func put(count: Int, for header: RESPToken) { append(header.range, .header(header, count)) }

    private mutating func append(_ range: Range<Int>, _ change: Change) {
        if let last = edits.last, last.range.lowerBound > range.lowerBound { isSorted = false }
        edits.append((range, change))
    }

    /// Appends the reply with all changes to the scratch; those inside of another change fall away with what it replaces.
    ///
    /// - Returns: where it stands there.
    mutating func assemble(_ reply: Range<Int>, of bytes: RawSpan, into scratch: inout [UInt8]) -> Range<Int> {
        if !isSorted { edits.sort { $0.range.lowerBound < $1.range.lowerBound } }
        let start = scratch.count
        scratch.reserveCapacity(start + reply.count)
        var at = reply.lowerBound
        for edit in edits where edit.range.lowerBound >= at {
            scratch.append(bytes: bytes.extracting(at..<edit.range.lowerBound))
            switch edit.change {
            case .bulk(let content):
                RESPText.appendHeader("$", content.count, to: &scratch)
                scratch.appendOwn(content)
                scratch.append(0x0D)
                scratch.append(0x0A)
            case .words(let words): scratch.append(contentsOf: words)
            case .header(let token, let count):
                RESPText.appendHeader(token.mark, token.kind == .map ? count / 2 : count, to: &scratch)
            case .nothing: break
            }
            at = edit.range.upperBound
        }
        scratch.append(bytes: bytes.extracting(at..<reply.upperBound))
        return start..<scratch.count
    }
}

extension RESPToken {
    /// The first byte of an aggregate's header.
    var mark: Unicode.Scalar {
        switch kind {
        case .map: "%"
        case .set: "~"
        case .push: ">"
        default: "*"
        }
    }
}

extension [UInt8] {
    /// Appends bytes that stand in the array already. A slice of it would make the append copy the whole array.
    fileprivate mutating func appendOwn(_ range: Range<Int>) {
        guard !range.isEmpty, range.lowerBound >= 0, range.upperBound <= count else { return }
        let start = count
        append(contentsOf: repeatElement(0, count: range.count))
        unsafe withUnsafeMutableBytes { all in
            let source = unsafe UnsafeRawBufferPointer(rebasing: all[range])
            unsafe UnsafeMutableRawBufferPointer(rebasing: all[start...]).copyMemory(from: source)
        }
    }
}
