import TidegateWire

/// By rule, which bytes stand in the place of a JSON value or of a part of it, where those are the same for every value.
///
/// Without references, which would be counted whenever a value is replaced: lives as long as the workspace that it is of.
@safe
struct Splices: BitwiseCopyable {
    struct Splice: BitwiseCopyable {
        /// Characters that stay, at the beginning or, below 0, at the end.
        var kept = 0
        var bytes = 0
        var count = 0
        /// Not every action has the same bytes for all values.
        var isOne = false
        /// The same stands for what is found in a text: the bytes without their quotes.
        var isForFinds = false
    }

    private let splices: UnsafeMutableBufferPointer<Splice>
    private let bytes: UnsafeMutableBufferPointer<UInt8>

    init(_ actions: [CompiledAction]) {
        var splices: [Splice] = []
        var bytes = Array("null".utf8)
        for action in actions {
            var splice = Splice()
            if case .replacement(let replacement) = action.kind {
                let fixed: [UInt8]
                switch replacement.kept {
                case .nothing:
                    fixed = replacement.json
                    splice.isForFinds = replacement.isText
                case .first(let count):
                    splice.kept = count
                    fixed = Array("****\"".utf8)
                case .last(let count):
                    splice.kept = -count
                    fixed = Array("\"****".utf8)
                }
                splice.isOne = true
                splice.bytes = bytes.count
                splice.count = fixed.count
                bytes += fixed
            }
            splices.append(splice)
        }
        let room = UnsafeMutableBufferPointer<Splice>.allocate(capacity: splices.count)
        _ = unsafe room.initialize(from: splices)
        unsafe self.splices = room
        let byteRoom = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
        _ = unsafe byteRoom.initialize(from: bytes)
        unsafe self.bytes = byteRoom
    }

    func deallocate() {
        unsafe splices.deallocate()
        unsafe bytes.deallocate()
    }

    @inline(__always)
    subscript(rule: Int) -> Splice { unsafe rule < splices.count ? splices[rule] : Splice() }

    /// What stands inside of a string for what is found there, where `isForFinds`.
    @inline(__always)
    func inside(_ rule: Int) -> Splice {
        var splice = self[rule]
        splice.bytes &+= 1
        splice.count &-= 2
        return splice
    }

    /// What stands for any value that is no string: its type goes.
    static let null = Splice(count: 4, isOne: true)

    /// Appends bytes that stay, and the splice's behind them.
    @inline(__always)
    func append(_ kept: UnsafeRawBufferPointer, _ splice: Splice, to output: inout [UInt8]) {
        guard let fixed = unsafe bytes.baseAddress else { return }
        output.append(addingCapacity: kept.count &+ splice.count) { span in
            unsafe span.withUnsafeMutableBufferPointer { room, count in
                guard let base = room.baseAddress, room.count &- count >= kept.count &+ splice.count else { return }
                let start = unsafe UnsafeMutableRawPointer(base + count)
                if let from = kept.baseAddress { unsafe start.copyMemory(from: from, byteCount: kept.count) }
                unsafe (start + kept.count).copyMemory(from: fixed + splice.bytes, byteCount: splice.count)
                count &+= kept.count &+ splice.count
            }
        }
    }
}
