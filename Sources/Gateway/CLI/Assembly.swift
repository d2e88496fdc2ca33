import TidegateConfiguration
import TidegateCore
import TidegateCrypto
import TidegateIdentity
import TidegatePolicy
import TidegateTransport

/// One configuration made into what runs: backends, listeners, authority. Made whole before anything is swapped.
struct Assembly {
    struct Running: Sendable {
        let backend: any Backend
        /// What the backend was made of: an unchanged one goes on.
        let fingerprint: String
        let name: String
        /// The authority's version that it was made for.
        let version: UInt32
    }

    let configuration: Configuration
    let backends: [Running]
    let listeners: [ListenerSpecification]
    let verifier: TokenVerifier
    let version: UInt32

    /// - Parameters:
    ///   - version: the authority's, higher than all before.
    ///   - kept: backends of the configuration before; those whose settings and files have not changed go on.
    /// - Throws: all that only shows when things are made.
    init(
        _ configuration: Configuration, _ secrets: FileSecretReader, version: UInt32,
        services: (FileSecretReader) -> BackendServices,
        keeping kept: [Running],
        verifier previous: TokenVerifier? = nil, log: Log
    ) throws(ConfigurationProblems) {
        self.configuration = configuration
        self.version = version
        var backends: [Running] = []
        var problems: [ConfigurationProblem] = []
        for settings in configuration.backends {
            let fingerprint = settings.fingerprint
            if let same = kept.first(where: { $0.name == settings.name && $0.fingerprint == fingerprint }) {
                backends.append(same)
            } else if let type = Backends.all.first(where: { $0.declaration.protocolName == settings.protocolName }) {
                do throws(ConfigurationProblems) {
                    let made = try type.init(
                        name: settings.name, settings: settings.settings, services: services(secrets))
                    backends.append(
                        Running(backend: made, fingerprint: fingerprint, name: settings.name, version: version))
                } catch { problems += error.list }
            }
        }
        self.backends = backends
        verifier = TokenVerifier(configuration.issuers, log: log, keeping: previous)
        var listeners: [ListenerSpecification] = []
        for route in configuration.routes {
            guard let running = backends.first(where: { $0.name == route.backend }) else { continue }
            do throws(ConfigurationProblems) {
                listeners += try Assembly.listeners(route, running, configuration.limits)
            } catch { problems += error.list }
        }
        if !problems.isEmpty { throw ConfigurationProblems(problems) }
        self.listeners = listeners
    }

    private static func listeners(
        _ route: Configuration.Route, _ running: Running, _ limits: SessionLimits
    ) throws(ConfigurationProblems) -> [ListenerSpecification] {
        let backend = running.backend
        let declaration = type(of: backend).declaration
        let description = Route(
            name: route.name, backendName: route.backend, declaration: declaration, advertise: route.advertise,
            isConfidential: route.isConfidential, limits: limits, backendVersion: running.version)
        let networks = try route.proxyNetworks?.map { text throws(ConfigurationProblems) in
            guard let network = Network(text) else {
                throw Assembly.problem(
                    "route '\(route.name)' believes '\(text)'", "a network, such as 10.0.0.0/8")
            }
            return network
        }
        let runtime = RouteRuntime(
            route: description, tls: try route.tls.map(context), proxyNetworks: networks,
            makeMachine: { backend.makeMachine(for: $0) })
        return try route.ports.map { port throws(ConfigurationProblems) in
            let host = route.host == "localhost" ? "127.0.0.1" : route.host
            guard let address = SocketAddress(numeric: host, port: port) else {
                throw Assembly.problem(
                    "route '\(route.name)' listens on '\(route.host)'",
                    "a numeric address, such as 0.0.0.0 or 127.0.0.1")
            }
            return ListenerSpecification(address: address, runtime: runtime)
        }
    }

    static func context(_ tls: Configuration.TLS) throws(ConfigurationProblems) -> TLSServerContext {
        do throws(TLSConfigurationError) {
            return try TLSServerContext(
                certificate: tls.certificate, key: tls.key, clientCA: tls.clientCA,
                clients: tls.clientCA == nil ? .none : tls.requiresClientCertificate ? .required : .optional)
        } catch { throw problem("\(error)", "a certificate and its own key, in PEM") }
    }

    static func problem(_ message: String, _ suggestion: String) -> ConfigurationProblems {
        let mark = ConfigurationMark(file: "", line: 0, column: 0)
        return ConfigurationProblems([ConfigurationProblem(mark: mark, path: "", message, suggestion: suggestion)])
    }

    func authority() -> Authority {
        Authority(
            version: version, policy: CompiledPolicy(configuration.policies), maskers: configuration.profiles,
            scopes: configuration.scopes, authenticator: verifier,
            routes: Dictionary(listeners.map { ($0.runtime.route.name, $0.runtime.route) }) { first, _ in first })
    }

    /// Makes each backend once, for `check`: what only shows then.
    static func tryBackends(_ reading: ConfigurationReader.Reading) -> [ConfigurationProblem] {
        var problems: [ConfigurationProblem] = []
        let services = BackendServices(log: Log(minimum: .error), secrets: reading.secrets, sideConnections: nil)
        for settings in reading.backends {
            guard let type = Backends.all.first(where: { $0.declaration.protocolName == settings.protocolName }) else {
                continue
            }
            do throws(ConfigurationProblems) {
                _ = try type.init(name: settings.name, settings: settings.settings, services: services)
            } catch { problems += error.list }
        }
        return problems
    }
}
