import Glibc
import TidegateCore

/// A listening socket of one loop.
final class Listener {
    let address: SocketAddress
    let descriptor: CInt
    let token: Token
    /// New connections get this one.
    var runtime: RouteRuntime
    var isAccepting = true

    init(address: SocketAddress, descriptor: CInt, token: Token, runtime: RouteRuntime) {
        self.address = address
        self.descriptor = descriptor
        self.token = token
        self.runtime = runtime
    }
}

extension EventLoop {
    /// The wheel's name for "try to accept again".
    static let retryToken: UInt64 = 2 << 56
    static let entranceToken: UInt64 = 1 << 56

    /// Makes the listeners be those of `specifications`: sockets of addresses that stay are kept, new ones come from
    /// `descriptors`, others are closed.
    func replaceListeners(_ specifications: [ListenerSpecification], _ descriptors: [SocketAddress: CInt]) {
        guard !isDraining else {
            for descriptor in descriptors.values { close(descriptor) }
            return
        }
        var kept: [Listener] = []
        var wanted: [SocketAddress: RouteRuntime] = [:]
        for specification in specifications { wanted[specification.address] = specification.runtime }
        for listener in listeners {
            if let runtime = wanted.removeValue(forKey: listener.address) {
                listener.runtime = runtime
                kept.append(listener)
            } else {
                driver.close(listener: listener.descriptor, listener.token)
                forget(listener)
            }
        }
        for (address, runtime) in wanted {
            guard let descriptor = descriptors[address] else { continue }
            let token = halves.reserve()
            let listener = Listener(address: address, descriptor: descriptor, token: token, runtime: runtime)
            listenerTokens[token] = listener
            kept.append(listener)
            driver.accept(on: descriptor, token)
        }
        listeners = kept
    }

    func stopListening() {
        isDraining = true
        for listener in listeners {
            driver.close(listener: listener.descriptor, listener.token)
            forget(listener)
        }
        listeners = []
    }

    private func forget(_ listener: Listener) {
        listenerTokens[listener.token] = nil
        halves.remove(listener.token)
    }

    func accepted(_ arrival: Arrival) {
        guard let listener = listenerTokens[arrival.token] else {
            if arrival.result >= 0 { driver.close(arrival.result, 0, resetting: false) }
            return
        }
        if !arrival.more { listener.isAccepting = false }
        if arrival.result >= 0 {
            welcome(arrival.result, listener)
        } else {
            log.warning("cannot accept connections for now", ["address": "\(listener.address)"])
        }
        // Out of descriptors, most likely: try again when some may be free.
        if !arrival.more { wheel.arm(EventLoop.retryToken, at: monotonic + (arrival.result >= 0 ? 0 : 100_000_000)) }
    }

    private func welcome(_ descriptor: CInt, _ listener: Listener) {
        let runtime = listener.runtime
        guard let endpoints = driver.endpoints(of: descriptor) else {
            return driver.close(descriptor, 0, resetting: false)
        }
        guard ledger.connect(limit: runtime.route.limits.sessions) else {
            refuse(
                runtime, from: endpoints.peer, localPort: endpoints.localPort, .limit,
                "more connections than there may be")
            return driver.close(descriptor, 0, resetting: true)
        }
        let half = Half(.client)
        register(half, descriptor)
        driver.adopt(descriptor, half.token)
        if let networks = runtime.proxyNetworks, networks.contains(where: { $0.contains(endpoints.peer) }) {
            half.phase = .open
            let entrance = Entrance(
                loop: self, half: half, runtime: runtime, peer: endpoints.peer, localPort: endpoints.localPort)
            entrances[half.token] = entrance
            let end = Relay.time(runtime.route.limits.secondsToAuthenticate, after: monotonic)
            wheel.arm(EventLoop.entranceToken | half.token, at: end)
            rearm(half)
            return
        }
        begin(half, runtime, from: endpoints.peer, localPort: endpoints.localPort)
    }

    /// Starts the relay of a client's connection.
    @discardableResult
    func begin(_ half: Half, _ runtime: RouteRuntime, from peer: SocketAddress, localPort: UInt16) -> Relay {
        let token = relays.reserve()
        let governor = governor(runtime, from: peer, localPort: localPort, waker: waker(for: token))
        let machine = runtime.makeMachine(governor.session)
        let relay = Relay(
            loop: self, token: token, runtime: runtime, client: half, machine: machine,
            meter: meter(for: runtime.route), limits: runtime.route.limits, governor: governor)
        relays[token] = relay
        relay.start()
        return relay
    }
}
