import CUring
import Glibc
import Synchronization

/// Resolves names off the loops: one thread for `getaddrinfo`, and a short cache.
final class Resolver: Sendable {
    private struct Question: Sendable {
        var host: String
        var port: UInt16
        var answer: @Sendable (SocketAddress?) -> Void
    }
    private struct State {
        var questions: [Question] = []
        var cache: [String: (addresses: [SocketAddress], until: Int64)] = [:]
        var isRunning = false
        var turn = 0
    }
    private let state = Mutex(State())
    private static let secondsKept: Int64 = 5

    /// Answers from the cache at once, or from the resolver's thread.
    func resolve(_ host: String, port: UInt16, _ answer: @escaping @Sendable (SocketAddress?) -> Void) {
        let now = KernelSockets.clock().monotonic
        enum Next {
            case answer(SocketAddress?)
            case start, wait
        }
        let next: Next = state.withLock { state in
            if let known = state.cache[host], known.until > now, !known.addresses.isEmpty {
                state.turn &+= 1
                return .answer(known.addresses[state.turn % known.addresses.count])
            }
            state.questions.append(Question(host: host, port: port, answer: answer))
            if state.isRunning { return .wait }
            state.isRunning = true
            return .start
        }
        switch next {
        case .answer(var address):
            address?.port = port
            answer(address)
        case .start: LoopThread(named: "resolver", pinnedTo: nil) { self.work() }.detach()
        case .wait: break
        }
    }

    /// Lives while there are questions.
    private func work() {
        while true {
            let question: Question? = state.withLock { state in
                if state.questions.isEmpty {
                    state.isRunning = false
                    return nil
                }
                return state.questions.removeFirst()
            }
            guard let question else { return }
            let addresses = Resolver.lookUp(question.host)
            let now = KernelSockets.clock().monotonic
            state.withLock { state in
                if state.cache.count > 1024 { state.cache.removeAll() }
                state.cache[question.host] = (addresses, now + Resolver.secondsKept * 1_000_000_000)
            }
            var address = addresses.first
            address?.port = question.port
            question.answer(address)
        }
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
