import CNaivePatterns
import Glibc

/// Documents, and room for a copy.
final class CopiedBatch {
    let documents: [[UInt8]]
    private let all: [UInt8]
    private var copy: [UInt8]

    init(_ kind: Documents, matching: Bool = false) {
        precondition(!matching || naive_patterns_prepare(), "naive patterns do not compile")
        documents = kind.all
        all = documents.flatMap(\.self)
        copy = [UInt8](repeating: 0, count: all.count)
    }

    var bytes: Int { all.count }

    func move() {
        let all = all
        unsafe copy.withUnsafeMutableBytes { to in
            unsafe all.withUnsafeBytes { from in
                guard let target = to.baseAddress, let source = from.baseAddress else { return }
                unsafe memcpy(target, source, from.count)
            }
        }
        keep(Int(copy[all.count / 2]))
    }

    func match() {
        var found: UInt64 = 0
        for index in documents.indices {
            found &+= unsafe documents[index].withUnsafeBytes { raw in
                guard let base = raw.baseAddress else { return 0 }
                return unsafe naive_patterns_scan(base, raw.count)
            }
        }
        keep(Int(truncatingIfNeeded: found))
    }
}

extension Suite {
    /// What the machine does with such documents without Tidegate.
    func addYardsticks() {
        for kind in Documents.allCases {
            let bytes = kind.all.reduce(0) { $0 + $1.count }
            add(
                "yardstick/memcpy, \(kind)", allocating: .none, bytes: bytes, items: Documents.count,
                on: { CopiedBatch(kind) }, { $0.move() })
            add(
                "yardstick/vectorscan with \(naive_patterns_count()) naive patterns, \(kind)", allocating: .none,
                bytes: bytes, items: Documents.count, on: { CopiedBatch(kind, matching: true) }, { $0.match() })
        }
    }
}
