import TidegateWire

/// Whose dates are moved: what the paths of subjects name in the record and in its documents, and which of it is nearest to
/// a place.
///
/// The nearest is that of the innermost object around the place that has one anywhere inside. Where that object has two
/// that differ, and where the two stand in different elements of a list, nobody can say whose the date is.
///
/// ```
///   {"all": [{"patient": "p1", "date": D1}, {"date": D2}]}       D1 is p1's; D2 is nobody's
///   {"patient": {"id": "p1"}, "visits": [{"date": D3}]}          D3 is p1's
/// ```
final class DateSubjects {
    /// Paths of subjects in a profile: each has a bit.
    static let limit = 24

    /// An object or a list that has a subject inside, by the document's offsets. They are sorted by where they begin.
    private struct Scope {
        var start: Int
        var end: Int
        var parent: Int
        var isList: Bool
    }
    /// What a scope has for one path.
    private struct Value {
        enum Count { case none, one, several }
        var count = Count.none
        /// Of `texts`.
        var text = 0..<0
        /// It is a member or an element of the scope itself.
        var isOwn = false
    }
    private struct Level {
        var firstScope: Int
        var firstNested: Int
        var firstText: Int
        /// The scope and the place of the document around it.
        var open: Int
        var position: Int
    }

    private let slots: Int
    private var scopes: [Scope] = []
    /// By scope, then by slot.
    private var values: [Value] = []
    private var levels: [Level] = []
    /// Strings that may be documents, and what is waited for inside.
    private var nested: [(start: Int, places: PlaceSet)] = []
    private var open = -1
    private(set) var texts: [UInt8] = []
    /// Where the value stands, in the innermost document, that is masked.
    var position = 0
    /// What is waited for in the next document that is in no other.
    var next = PlaceSet()

    /// - Parameter slots: paths of subjects.
    init(slots: Int) { self.slots = slots }

    var isEmpty: Bool { slots == 0 }

    // MARK: Records and documents

    func beginRecord() {
        removeAll()
        beginDocument()
    }

    func removeAll() {
        scopes.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
        levels.removeAll(keepingCapacity: true)
        nested.removeAll(keepingCapacity: true)
        texts.removeAll(keepingCapacity: true)
        (open, position) = (-1, 0)
    }

    /// What paths wait for in the document that begins: one in a string is reached by the paths that reach the string, and by
    /// those of a document.
    func places(orStart start: PlaceSet) -> PlaceSet {
        guard levels.count > 1, let level = levels.last else { return next.union(start) }
        var (low, high) = (level.firstNested, nested.count)
        while low < high {
            let middle = (low + high) / 2
            if nested[middle].start < position { low = middle + 1 } else { high = middle }
        }
        return low < nested.count && nested[low].start == position ? nested[low].places.union(start) : start
    }

    func beginDocument() {
        levels.append(
            Level(
                firstScope: scopes.count, firstNested: nested.count, firstText: texts.count, open: open,
                position: position))
        position = 0
        open = -1
        enter(at: -1, isList: false)
    }

    /// Forgets the innermost document.
    func endDocument() {
        guard let level = levels.popLast() else { return }
        texts.removeLast(texts.count - level.firstText)
        forget(level)
    }

    /// Forgets the innermost document, but what it says of the record: it is one of its fields.
    func endField() {
        guard levels.count > 1, let level = levels.popLast() else { return }
        let found = Array(values[(level.firstScope * slots)..<((level.firstScope + 1) * slots)])
        forget(level)
        for slot in 0..<slots { merge(found[slot], slot) }
    }

    private func forget(_ level: Level) {
        scopes.removeLast(scopes.count - level.firstScope)
        values.removeLast(values.count - level.firstScope * slots)
        nested.removeLast(nested.count - level.firstNested)
        (open, position) = (level.open, level.position)
    }

    // MARK: Finding them

    func enter(at start: Int, isList: Bool) {
        scopes.append(Scope(start: start, end: .max, parent: open, isList: isList))
        values.append(contentsOf: repeatElement(Value(), count: slots))
        open = scopes.count - 1
    }

    func leave(at end: Int) {
        let scope = open
        guard scopes.indices.contains(scope), scopes[scope].parent >= 0 else { return }
        scopes[scope].end = end
        open = scopes[scope].parent
        var isUsed = false
        for slot in 0..<slots {
            var value = values[scope * slots + slot]
            guard value.count != .none else { continue }
            isUsed = true
            // Another element's is not its own.
            if scopes[scope].isList, !value.isOwn { values[scope * slots + slot].count = .several }
            value.isOwn = false
            merge(value, slot)
        }
        guard !isUsed, scope == scopes.count - 1 else { return }
        scopes.removeLast()
        values.removeLast(slots)
    }

    /// A string, in the innermost document, that may be a document.
    func noteNested(at start: Int, _ places: PlaceSet) { nested.append((start, places)) }

    func keep(_ text: UnsafeRawBufferPointer, slot: Int) {
        if unsafe text.isEmpty { return }
        let start = texts.count
        unsafe texts.append(contentsOf: text)
        merge(Value(count: .one, text: start..<texts.count, isOwn: true), slot)
    }

    /// There is one, and nobody can say of what.
    func keepUnclear(slot: Int) { merge(Value(count: .several, isOwn: true), slot) }

    private func merge(_ value: Value, _ slot: Int) {
        let index = open * slots + slot
        guard values.indices.contains(index), value.count != .none else { return }
        switch (values[index].count, value.count) {
        case (.none, _): values[index] = value
        case (.one, .one) where texts[values[index].text] == texts[value.text]:
            values[index].isOwn = values[index].isOwn || value.isOwn
        default: values[index].count = .several
        }
    }

    // MARK: Asking for them

    /// The subject of the date at `position`, a range of `texts`; nil where it has none, or nobody can say which.
    func subject(_ slot: Int) -> Range<Int>? {
        var end = scopes.count
        var place = position
        for level in levels.reversed() {
            var (low, high) = (level.firstScope, end)
            while low < high {
                let middle = (low + high) / 2
                if scopes[middle].start <= place { low = middle + 1 } else { high = middle }
            }
            var scope = low - 1
            while scope >= level.firstScope {
                if scopes[scope].end > place {
                    let value = values[scope * slots + slot]
                    switch value.count {
                    case .none: break
                    case .one: return value.text
                    case .several: return nil
                    }
                }
                scope = scopes[scope].parent
            }
            (end, place) = (level.firstScope, level.position)
        }
        return nil
    }

    /// Bytes of room that it has, and those of them that hold something.
    var room: (all: Int, used: Int) {
        let scope = MemoryLayout<Scope>.stride + slots * MemoryLayout<Value>.stride
        return (texts.capacity + scopes.capacity * scope, texts.count + scopes.count * scope)
    }

    /// Nothing of what was masked stays in it, nor uncommonly much room.
    func rest() {
        removeAll()
        scopes.rest()
        values.rest()
        nested.rest()
        texts.rest()
    }
}
