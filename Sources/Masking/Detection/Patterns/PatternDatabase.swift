import CVectorscan
import Synchronization

/// Expressions that vectorscan has compiled, with the memory that scans need. The only owner of its handles.
///
/// Always UTF-8 (`HS_FLAG_UTF8`), where text that is none has no defined outcome: who scans gives only valid
/// stretches (`UTF8Stretches`). Never `HS_FLAG_SINGLEMATCH`: 5.4.9 loses matches with it.
@safe
final class PatternDatabase: @unchecked Sendable {  // libhs only reads a database; each scratch has one user at a time
    struct Expression {
        var text: String
        /// What the report says.
        var identifier: UInt32
    }

    struct Failure: Error {
        /// Place in the list, where one expression is at fault.
        var expression: Int?
        var complaint: String
    }

    /// Memory of one scan at a time.
    @safe
    private struct Scratch: @unchecked Sendable {  // whoever has taken it from the pool is alone with it
        let handle: OpaquePointer
    }

    /// What a scan calls for each match: identifier, start, end, flags, context; other than 0 ends the scan.
    typealias Report = @convention(c) (UInt32, UInt64, UInt64, UInt32, UnsafeMutableRawPointer?) -> Int32

    static let largestByteCount = 32 << 20
    private static let pooled = 64

    private let database: OpaquePointer
    private let prototype: OpaquePointer
    /// The one that is free mostly, by its address; 0 while it is in use.
    private let favourite = Atomic<UInt>(0)
    private let pool: Mutex<[Scratch]>
    /// Bytes that the compiled expressions take, and that each concurrent scan takes.
    let byteCount: Int
    let scratchByteCount: Int

    /// Reports carry where a match begins, the leftmost place, and where it ends.
    init(_ expressions: [Expression]) throws(Failure) {
        guard hs_valid_platform() == HS_SUCCESS else {
            throw Failure(expression: nil, complaint: "this processor lacks the instructions that vectorscan needs")
        }
        var database: OpaquePointer?
        if let failure = unsafe PatternDatabase.compile(expressions, &database) { throw failure }
        guard let compiled = unsafe database else {
            throw Failure(expression: nil, complaint: "Could not allocate memory")
        }
        var scratch: OpaquePointer?
        var size = 0
        var scratchSize = 0
        guard unsafe hs_database_size(compiled, &size) == HS_SUCCESS, size <= PatternDatabase.largestByteCount else {
            unsafe hs_free_database(compiled)
            throw Failure(expression: nil, complaint: "Pattern is too large.")
        }
        guard unsafe hs_alloc_scratch(compiled, &scratch) == HS_SUCCESS, let made = unsafe scratch,
            unsafe hs_scratch_size(made, &scratchSize) == HS_SUCCESS
        else {
            unsafe hs_free_scratch(scratch)
            unsafe hs_free_database(compiled)
            throw Failure(expression: nil, complaint: "Could not allocate memory")
        }
        unsafe self.database = compiled
        unsafe prototype = made
        byteCount = size
        scratchByteCount = scratchSize
        var free: [Scratch] = []
        free.reserveCapacity(PatternDatabase.pooled)
        pool = Mutex(free)
    }

    deinit {
        unsafe hs_free_scratch(OpaquePointer(bitPattern: favourite.load(ordering: .acquiring)))
        pool.withLock { for scratch in $0 { unsafe hs_free_scratch(scratch.handle) } }
        unsafe hs_free_scratch(prototype)
        unsafe hs_free_database(database)
    }

    private static func compile(
        _ expressions: [Expression], _ database: inout OpaquePointer?
    ) -> Failure? {
        // All expressions in one piece, each with its zero.
        var texts: [CChar] = []
        let starts = expressions.map { expression in
            defer { texts.append(contentsOf: expression.text.utf8CString) }
            return texts.count
        }
        let flag = UInt32(HS_FLAG_UTF8) | UInt32(HS_FLAG_SOM_LEFTMOST)
        let flags = [UInt32](repeating: flag, count: expressions.count)
        let identifiers = expressions.map(\.identifier)
        var error: UnsafeMutablePointer<hs_compile_error_t>?
        let result = unsafe texts.withUnsafeBufferPointer { texts in
            let pointers = unsafe starts.map { start in unsafe texts.baseAddress.map { unsafe $0 + start } }
            return unsafe hs_compile_multi(
                pointers, flags, identifiers, UInt32(expressions.count), UInt32(HS_MODE_BLOCK), nil, &database, &error)
        }
        defer { unsafe hs_free_compile_error(error) }
        guard result != HS_SUCCESS else { return nil }
        guard let error = unsafe error else { return Failure(expression: nil, complaint: "Could not allocate memory") }
        let index = unsafe Int(error.pointee.expression)
        let words = unsafe error.pointee.message.map { unsafe String(cString: $0) } ?? ""
        return Failure(expression: expressions.indices.contains(index) ? index : nil, complaint: words)
    }

    /// One pass over a text of valid UTF-8, of less than 4 GiB.
    ///
    /// - Returns: false where it could not be scanned to its end, or where `report` ended it.
    func scan(_ text: UnsafeRawBufferPointer, _ state: UnsafeMutableRawPointer, _ report: Report) -> Bool {
        guard let start = text.baseAddress, let length = UInt32(exactly: text.count) else { return unsafe text.isEmpty }
        guard let scratch = take() else { return false }
        defer { put(scratch) }
        let bytes = unsafe start.assumingMemoryBound(to: CChar.self)
        return unsafe hs_scan(database, bytes, length, 0, scratch.handle, report, state) == HS_SUCCESS
    }

    private func take() -> Scratch? {
        if let handle = unsafe OpaquePointer(bitPattern: favourite.exchange(0, ordering: .acquiring)) {
            return unsafe Scratch(handle: handle)
        }
        if let scratch = pool.withLock({ $0.popLast() }) { return scratch }
        var handle: OpaquePointer?
        guard unsafe hs_clone_scratch(prototype, &handle) == HS_SUCCESS, let made = unsafe handle else { return nil }
        return unsafe Scratch(handle: made)
    }

    private func put(_ scratch: Scratch) {
        let address = unsafe UInt(bitPattern: scratch.handle)
        if favourite.compareExchange(expected: 0, desired: address, ordering: .releasing).exchanged { return }
        let isKept = pool.withLock { free in
            guard free.count < PatternDatabase.pooled else { return false }
            free.append(scratch)
            return true
        }
        if !isKept { unsafe hs_free_scratch(scratch.handle) }
    }
}
