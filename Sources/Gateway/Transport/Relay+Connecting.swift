import TidegateCore
import TidegateCrypto

extension Relay {
    static let connectSeconds: Int64 = 10
    /// For one address of several.
    static let secondsAnAddress: Int64 = 3

    /// Resolves and connects the backend side; a side that was connected before is closed.
    func connect(to endpoint: Endpoint) {
        attempt &+= 1
        if backend.phase != .absent {
            backend.window.clear(loop.pool)
            loop.dispose(backend)
            replaceBackend()
        }
        self.endpoint = endpoint
        backend.phase = .connecting
        addresses = []
        connectEnd = loop.monotonic + Relay.connectSeconds * 1_000_000_000
        connectBy = connectEnd
        arm(connectBy)
        if let address = SocketAddress(numeric: endpoint.host, port: endpoint.port) {
            dial(address)
        } else {
            let handle = loop.handle
            let token = token
            let attempt = attempt
            loop.resolver.resolve(endpoint.host, port: endpoint.port) { addresses in
                handle.post { access in
                    guard let relay = access.loop.relays[token], relay.attempt == attempt else { return }
                    relay.addresses = addresses[...]
                    relay.dialNext("the name is not known")
                }
            }
        }
    }

    /// Tries the next address; the last failure is the backend's.
    func dialNext(_ failure: StaticString) {
        guard isRunning, backend.phase == .connecting || backend.phase == .securing else { return }
        guard backend.phase == .connecting, loop.monotonic < connectEnd, let address = addresses.popFirst() else {
            return unreachable(failure)
        }
        if backend.descriptor >= 0 {
            let failed = backend
            replaceBackend()
            // What the machine has sent already waits for whichever address answers.
            swap(&backend.outbox, &failed.outbox)
            backend.isFinishing = failed.isFinishing
            backend.isParked = failed.isParked
            backend.phase = .connecting
            loop.dispose(failed)
        }
        connectBy =
            addresses.isEmpty
            ? connectEnd : min(connectEnd, loop.monotonic + Relay.secondsAnAddress * 1_000_000_000)
        arm(connectBy)
        dial(address)
    }

    private func dial(_ address: SocketAddress) {
        guard backend.phase == .connecting, isRunning else { return }
        let descriptor = loop.driver.open(to: address)
        guard descriptor >= 0 else { return dialNext("no socket") }
        loop.register(backend, descriptor)
        backend.awaited.insert(.connecting)
        loop.driver.connect(descriptor, backend.token, to: address)
    }

    func connected(error: Int32) {
        backend.awaited.remove(.connecting)
        guard isRunning, backend.phase == .connecting else { return }
        guard error == 0 else { return dialNext("connection refused or timed out") }
        connectBy = connectEnd
        arm(connectBy)
        loop.driver.adopt(backend.descriptor, backend.token)
        if let context = endpoint?.tls {
            secureBackend(context)
        } else {
            connectBy = .max
            backend.phase = .open
            note(.connected)
        }
        advance()
    }

    func unreachable(_ reason: StaticString) {
        guard isRunning else { return }
        loop.refusals.tell(
            "backend cannot be reached", at: loop.now, level: .warning,
            [
                "session_id": governor.session.id, "route": governor.session.route.name,
                "backend": "\(endpoint?.host ?? ""):\(endpoint?.port ?? 0)", "reason": "\(reason)",
            ])
        connectBy = .max
        backend.outbox.drop(loop.pool)
        loop.dispose(backend)
        backend.hasEnded = true
        backend.hasToldEnd = true
        note(.ended(.backend))
        closesFor = .backendUnreachable
        advance()
    }
}
