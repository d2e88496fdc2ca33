import CUring
import Glibc
import Synchronization

/// Resolves names off the loops: one thread for `getaddrinfo`, and a short cache. One look-up answers all who ask for the
/// same name meanwhile.
final class Resolver: Sendable {
    /// Gets all addresses in the order to try them, with the port asked for; none where the name is not known.
    typealias Answer = @Sendable ([SocketAddress]) -> Void
    private struct Question: Sendable {
        var host: String
        var port: UInt16
        var until: Int64
        var answer: Answer
    }
    private struct State {
        var questions: [Question] = []
        var cache: [String: (addresses: [SocketAddress], until: Int64)] = [:]
        var isRunning = false
        var turn = 0

        /// Each question begins with another address of each family.
        mutating func rotated(_ addresses: [SocketAddress], port: UInt16) -> [SocketAddress] {
            turn &+= 1
            let families = [addresses.filter { !$0.isIPv6 }, addresses.filter(\.isIPv6)]
            return families.flatMap { family in
                family.indices.map { index in
                    var address = family[(index + turn) % family.count]
                    address.port = port
                    return address
                }
            }
        }
    }
    private let state = Mutex(State())
    private let lookUp: @Sendable (String) -> [SocketAddress]
    private static let secondsKept: Int64 = 5
    private static let secondsUnknown: Int64 = 2
    /// Whoever asked has given up by then.
    private static let secondsAsked: Int64 = 10

    init(lookUp: @escaping @Sendable (String) -> [SocketAddress]) { self.lookUp = lookUp }

    /// Answers from the cache at once, or from the resolver's thread.
    func resolve(_ host: String, port: UInt16, _ answer: @escaping Answer) {
        let now = KernelSockets.clock().monotonic
        enum Next {
            case answer([SocketAddress])
            case start, wait
        }
        let next: Next = state.withLock { state in
            if let known = state.cache[host], known.until > now {
                return .answer(state.rotated(known.addresses, port: port))
            }
            let until = now + Resolver.secondsAsked * 1_000_000_000
            state.questions.append(Question(host: host, port: port, until: until, answer: answer))
            if state.isRunning { return .wait }
            state.isRunning = true
            return .start
        }
        switch next {
        case .answer(let addresses): answer(addresses)
        case .start: LoopThread(named: "resolver", pinnedTo: nil) { self.work() }.detach()
        case .wait: break
        }
    }

    /// Lives while there are questions.
    private func work() {
        while let host = nextHost() {
            let addresses = lookUp(host)
            let seconds = addresses.isEmpty ? Resolver.secondsUnknown : Resolver.secondsKept
            let until = KernelSockets.clock().monotonic + seconds * 1_000_000_000
            let answers: [(answer: Answer, addresses: [SocketAddress])] = state.withLock { state in
                if state.cache.count > 1024 { state.cache.removeAll() }
                state.cache[host] = (addresses, until)
                let asked = state.questions.filter { $0.host == host }
                state.questions.removeAll { $0.host == host }
                return asked.map { ($0.answer, state.rotated(addresses, port: $0.port)) }
            }
            for (answer, addresses) in answers { answer(addresses) }
        }
    }

    /// The next name that somebody still waits for.
    private func nextHost() -> String? {
        let now = KernelSockets.clock().monotonic
        let (host, late): (String?, [Question]) = state.withLock { state in
            let late = state.questions.filter { $0.until <= now }
            state.questions.removeAll { $0.until <= now }
            if state.questions.isEmpty { state.isRunning = false }
            return (state.questions.first?.host, late)
        }
        for question in late { question.answer([]) }
        return host
    }

    /// Asks the system.
    static func lookUp(_ host: String) -> [SocketAddress] {
        var hints = unsafe addrinfo()
        unsafe hints.ai_family = AF_UNSPEC
        unsafe hints.ai_socktype = shim_socket_type(0) & 0xF
        var first: UnsafeMutablePointer<addrinfo>?
        guard unsafe getaddrinfo(host, nil, &hints, &first) == 0 else { return [] }
        defer { unsafe freeaddrinfo(first) }
        var found: [SocketAddress] = []
        var next = unsafe first
        while let entry = unsafe next {
            var storage = sockaddr_storage()
            let length = unsafe min(Int(entry.pointee.ai_addrlen), MemoryLayout<sockaddr_storage>.size)
            if let address = unsafe entry.pointee.ai_addr {
                unsafe memcpy(&storage, address, length)
                if let address = SocketAddress(storage) { found.append(address) }
            }
            unsafe next = entry.pointee.ai_next
        }
        // IPv4 first: inside clusters it is what answers.
        return found.filter { !$0.isIPv6 } + found.filter(\.isIPv6)
    }
}
