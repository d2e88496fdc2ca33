import Synchronization
public import TidegateCore

extension TransportRuntime: SideConnections {
    public func open(
        _ make: @escaping @Sendable () -> any MachineBox, ended: @escaping @Sendable (CloseReason) -> Void
    ) -> SideConnection {
        let holder = SidePlace()
        let handle = first
        let posted = handle.post { access in
            let token = access.loop.beginSide(make(), ended)
            holder.set(token)
        }
        if !posted { ended(.draining) }
        return SideConnection(
            wake: {
                handle.post { access in
                    guard let token = holder.token, let relay = access.loop.relays[token] else { return }
                    relay.note(.woken)
                    relay.advance()
                }
            },
            close: {
                handle.post { access in
                    guard let token = holder.token, let relay = access.loop.relays[token] else { return }
                    relay.close(.ended)
                }
            })
    }
}

/// Where a side connection lives, once it has begun.
private final class SidePlace: Sendable {
    private let place = Mutex<Token?>(nil)
    func set(_ token: Token) { place.withLock { $0 = token } }
    var token: Token? { place.withLock { $0 } }
}

extension EventLoop {
    /// What sessions of the gateway's own are counted and named under; nobody sees it.
    private static let sideRoute = Route(
        name: "", backendName: "",
        declaration: BackendDeclaration(protocolName: "", settings: .anything, kinds: [], wireNames: []),
        advertise: nil, isConfidential: true, limits: SessionLimits())

    func beginSide(_ machine: any MachineBox, _ ended: @escaping @Sendable (CloseReason) -> Void) -> Token {
        let token = relays.reserve()
        let (id, number) = nextSessionID()
        let session = Session(id: id, route: EventLoop.sideRoute, clientAddress: "", localPort: 0, started: now)
        let meter = Meter(route: "", protocolName: "")
        // Its evidence goes nowhere: the gateway's own log-in is no session of anybody's.
        let governor = Governor(
            session: session, authority: authority, evidence: EvidenceBuffer(isStrict: false, idPrefix: ""),
            meter: meter, ledger: ledger, number: number, waker: waker(for: token), now: now)
        let relay = Relay(
            loop: self, token: token, runtime: nil, client: Half(.client), machine: machine, meter: meter,
            limits: SessionLimits(), governor: governor)
        relay.onEnd = ended
        relays[token] = relay
        relay.start()
        return token
    }
}
