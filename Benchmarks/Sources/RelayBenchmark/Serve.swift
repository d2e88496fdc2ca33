import Glibc
import TidegateCore
import TidegateTransport

/// What stops a benchmark before it starts.
struct Unusable: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Relays one loopback port to another on one event loop until the process is told to end.
///
/// - Throws: a driver that is not known or cannot be had here, a port that is taken.
func serve(driver name: String, port: UInt16, backend: UInt16) throws {
    guard let driver = DriverChoice(rawValue: name) else { throw Unusable("no such driver: \(name)") }
    guard let address = SocketAddress(numeric: "127.0.0.1", port: port) else { throw Unusable("no loopback here") }
    let judge = PassThroughJudge()
    var settings = TransportRuntime.Settings()
    settings.loops = 1
    settings.driver = driver
    let runtime = try TransportRuntime(
        settings, authority: Authority(version: 1, policy: judge, maskers: [], authenticator: judge),
        ledger: SessionLedger(), sink: nil, log: Log())
    let route = Route(
        name: "bench", backendName: "bench",
        declaration: BackendDeclaration(protocolName: "bytes", settings: .anything, kinds: [], wireNames: []),
        advertise: nil, isConfidential: true, limits: SessionLimits())
    let endpoint = Endpoint(host: "127.0.0.1", port: backend, tls: nil, serverName: "127.0.0.1")
    try runtime.replaceListeners([
        ListenerSpecification(
            address: address,
            runtime: RouteRuntime(
                route: route, tls: nil, proxyNetworks: nil,
                makeMachine: { _ in MachineOf(PassThroughMachine(to: endpoint)) }))
    ])
    while true { sleep(3600) }
}
