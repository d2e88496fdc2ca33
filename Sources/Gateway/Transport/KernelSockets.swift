import CUring
import Glibc
import TidegateCore

/// The system calls on sockets that both kernel drivers share.
enum KernelSockets {
    static func clock() -> (wall: Instant, monotonic: Int64) {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return (Instant.current, Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    static func setFlag(_ descriptor: CInt, _ level: CInt, _ option: CInt) {
        var one: CInt = 1
        unsafe setsockopt(descriptor, level, option, &one, socklen_t(MemoryLayout<CInt>.size))
    }

    /// No delay, and keep-alive for peers that vanish.
    static func prepare(_ descriptor: CInt) {
        setFlag(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY)
        setFlag(descriptor, SOL_SOCKET, SO_KEEPALIVE)
    }

    static func endpoints(of descriptor: CInt) -> (peer: SocketAddress, localPort: UInt16)? {
        guard let peer = address(of: descriptor, peer: true) else { return nil }
        return (peer, address(of: descriptor, peer: false)?.port ?? 0)
    }

    static func address(of descriptor: CInt, peer: Bool) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let code = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe peer ? getpeername(descriptor, address, &length) : getsockname(descriptor, address, &length)
            }
        }
        return code == 0 ? SocketAddress(storage) : nil
    }

    static func open(_ family: CInt, nonblocking: Bool) -> CInt {
        let descriptor = socket(family, shim_socket_type(nonblocking ? 1 : 0), 0)
        if descriptor < 0 { return -errno }
        prepare(descriptor)
        return descriptor
    }

    static func close(_ descriptor: CInt, resetting: Bool) {
        if resetting {
            var linger = linger(l_onoff: 1, l_linger: 0)
            unsafe setsockopt(
                descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        }
        Glibc.close(descriptor)
    }

    /// A listening socket that shares its port with those of other loops; below zero is an error number.
    static func listen(_ address: SocketAddress, shared: Bool) -> CInt {
        let descriptor = socket(address.family, shim_socket_type(1), 0)
        if descriptor < 0 { return -errno }
        setFlag(descriptor, SOL_SOCKET, SO_REUSEADDR)
        if shared { setFlag(descriptor, SOL_SOCKET, SO_REUSEPORT) }
        if address.isIPv6 {
            var six: CInt = address.bytes.allSatisfy { $0 == 0 } ? 0 : 1
            unsafe setsockopt(
                descriptor, CInt(IPPROTO_IPV6), IPV6_V6ONLY, &six, socklen_t(MemoryLayout<CInt>.size))
        }
        var storage = sockaddr_storage()
        let length = address.fill(&storage)
        let code = unsafe withUnsafePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, length)
            }
        }
        if code != 0 || Glibc.listen(descriptor, 1024) != 0 {
            let error = errno
            Glibc.close(descriptor)
            return -error
        }
        return descriptor
    }
}
