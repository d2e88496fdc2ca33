import Foundation
import TidegateCore
import TidegateCrypto
import TidegateIdentity
import TidegateMasking
import TidegatePolicy

/// Reads typed values out of nodes and judges what a schema cannot: names that lead nowhere, doubles, overlaps.
struct ConfigurationBuilder {
    var problems: [ConfigurationProblem] = []
    let declarations: [BackendDeclaration]
    let secrets: FileSecretReader
    let withSecrets: Bool
    /// Paths that the schema refuses.
    let refused: Set<String>
    var configuration = Configuration()
    var profileNames: [String] = []
    /// Keys, detectors and registries that profiles are compiled with.
    var material = MaskingMaterial()
    /// Of keys that are not there.
    var inventedKeys: Set<String> = []
    var registryNames: Set<String> = []
    /// By profile: the domains of the tokens that it makes, and whether those of one can be opened.
    var domains: [String: [String: Bool]] = [:]
    /// Names as they stand there, right or not: a name that leads to something wrong does not lead nowhere.
    var routeNames: [String] = []
    private var backendNames: [String] = []
    var protocolOfRoute: [String: String] = [:]
    private var taken: [(host: String, port: UInt16, route: String)] = []

    init(
        _ declarations: [BackendDeclaration], _ secrets: FileSecretReader, withSecrets: Bool, refused: Set<String>
    ) {
        self.refused = refused
        self.declarations = declarations
        self.secrets = secrets
        self.withSecrets = withSecrets
    }

    mutating func build(_ root: ConfigurationNode, _ sections: Set<ConfigurationReader.Section>) -> Configuration {
        let isWhole = sections.isSuperset(of: [.identity, .backends, .routes])
        if isWhole {
            for key in ["identity", "backends", "routes"] where root[key] == nil {
                report(root, "'\(key)' is missing", "a gateway needs identity, backends and routes")
            }
        }
        issuers(root["identity"])
        backends(root["backends"])
        routes(root["routes"], knowsBackends: root["backends"] != nil)
        masking(root["masking"], asksRegistries: isWhole)
        policies(root["policies"], knowsRoutes: root["routes"] != nil, knowsProfiles: sections.contains(.masking))
        if isWhole, root["policies"]?.elements.isEmpty ?? true {
            report(root["policies"] ?? root, "there is no policy, so nobody may do anything", "at least one", .warning)
        }
        evidence(root["evidence"])
        transport(root["transport"])
        admin(root["admin"])
        if isWhole { adminPort(root) }
        limits(root["limits"])
        if let word = root["log"]?["level"]?.text {
            configuration.logLevel = [Log.Level.debug, .info, .warning, .error].first { $0.name == word } ?? .info
        }
        return configuration
    }

    mutating func report(
        _ node: ConfigurationNode, _ message: String, _ suggestion: String,
        _ severity: ConfigurationProblem.Severity = .error
    ) {
        problems.append(ConfigurationProblem(severity, at: node, message, suggestion: suggestion))
    }

    mutating func file(_ node: ConfigurationNode?) -> String? {
        guard let node, node.text != nil else { return nil }
        do throws(ConfigurationProblem) { return try secrets.file(at: node) } catch {
            problems.append(error)
            return nil
        }
    }

    // MARK: Identity

    private mutating func issuers(_ node: ConfigurationNode?) {
        var seen: Set<String> = []
        var prefixes: Set<String> = []
        let list = node?["issuers"]?.elements ?? []
        for issuer in list {
            let name = issuer["issuer"]?.text
            if let name, !seen.insert(name).inserted {
                report(issuer, "the issuer '\(name)' stands twice", "each issuer once")
            }
            let prefix = issuer["prefix"]?.text ?? ""
            if !prefixes.insert(prefix).inserted {
                report(issuer, "two issuers have the prefix '\(prefix)'", "a prefix of its own for each issuer")
            }
            let (keys, authorities) = (keys(of: issuer), authorities(issuer["ca"]))
            guard let name, let audience = issuer["audience"]?.text else { continue }
            configuration.issuers.append(
                IssuerSettings(
                    issuer: name, audience: audience, groupsClaim: issuer["groupsClaim"]?.text ?? "groups",
                    subjectClaim: issuer["subjectClaim"]?.text ?? "sub", prefix: prefix, keys: keys,
                    caFile: authorities,
                    leewaySeconds: issuer["leeway"]?.text.flatMap(TextForms.seconds) ?? 60))
        }
    }

    private mutating func keys(of issuer: ConfigurationNode) -> IssuerSettings.Keys {
        if let node = issuer["jwksFile"] {
            if issuer["jwksURL"] != nil {
                report(node, "jwksFile and jwksURL stand beside each other", "one of them")
            }
            guard let path = file(node) else { return .discovery }
            let content = withSecrets ? FileManager.default.contents(atPath: path).map(Array.init) ?? [] : []
            if withSecrets, (KeySet(content)?.usableKeys ?? 0) == 0 {
                report(node, "\(path) holds no key that can verify a token", "a JSON web key set (RFC 7517)")
            }
            return .file(path)
        }
        let source = issuer["jwksURL"] ?? issuer["issuer"]
        if let source, let text = source.text, text.hasPrefix("http://"), let host = TextForms.host(ofURL: text),
            !TextForms.isLoopback(host), issuer["insecure"]?.boolean != true
        {
            report(
                source, "keys would come in the clear: whoever changes them on the way forges tokens",
                "https, or insecure: true")
        }
        return issuer["jwksURL"]?.text.map { .url($0) } ?? .discovery
    }

    mutating func authorities(_ node: ConfigurationNode?) -> String? {
        guard let node, let path = file(node) else { return nil }
        if withSecrets {
            do throws(TLSConfigurationError) { _ = try TLSClientContext(ca: path) } catch {
                report(node, "\(error)", "authorities in PEM")
            }
        }
        return path
    }

    // MARK: Backends and routes

    private mutating func backends(_ node: ConfigurationNode?) {
        for (key, value) in node?.entries ?? [] {
            guard let name = key.text else { continue }
            backendNames.append(name)
            guard let (protocolNode, settings) = value.entries.first, let protocolName = protocolNode.text else {
                continue
            }
            guard declarations.contains(where: { $0.protocolName == protocolName }) else { continue }
            configuration.backends.append(.init(name: name, protocolName: protocolName, settings: settings))
        }
    }

    private mutating func routes(_ node: ConfigurationNode?, knowsBackends: Bool) {
        var names: Set<String> = []
        routeNames = (node?.elements ?? []).compactMap { $0["name"]?.text }
        for route in node?.elements ?? [] {
            let name = route["name"]?.text
            if let name, !names.insert(name).inserted {
                report(route, "two routes are called '\(name)'", "a name of its own")
            }
            let backend = route["backend"]?.text
            let known = configuration.backends.first { $0.name == backend }
            if let name { protocolOfRoute[name] = known?.protocolName }
            if let node = route["backend"], let backend, !backendNames.contains(backend), knowsBackends {
                report(node, "there is no backend '\(backend)'", SettingsValidator.oneOf(backendNames, near: backend))
            }
            let listen = route["listen"]
            let address = listen?.address
            let (advertise, tls) = (advertise(route, listenPort: address?.port ?? 0), tls(route["tls"]))
            if let known, let declaration = declarations.first(where: { $0.protocolName == known.protocolName }),
                declaration.requiresAdvertise(known.settings), route["advertise"] == nil
            {
                report(
                    route, "'advertise' is missing: clients of this backend are told where its nodes are",
                    "advertise: { host: NAME, ports: FIRST-LAST }")
            }
            guard let listen, let (host, port) = address else { continue }
            requireListener(listen, host)
            let built = Configuration.Route(
                name: name ?? route.path, host: host, port: port, backend: backend ?? "", advertise: advertise,
                proxyNetworks: route["proxyProtocol"]?.texts, tls: tls,
                isInsecure: route["insecure"]?.boolean ?? false)
            if !built.isConfidential, route["tls"] == nil {
                report(
                    listen, "plaintext outside loopback: tokens would travel in the clear",
                    "tls: { certificate: ..., key: ... }, or insecure: true")
            }
            for port in built.ports where port != 0 {
                if let other = taken.first(where: { $0.port == port && TextForms.overlap($0.host, host) }) {
                    report(
                        listen, "port \(port) is taken by the route '\(other.route)'", "ports of its own for each route"
                    )
                }
                taken.append((host, port, built.name))
            }
            if name != nil, backend != nil { configuration.routes.append(built) }
        }
    }

    private mutating func requireListener(_ node: ConfigurationNode, _ host: String) {
        if TextForms.listener(host) == nil {
            report(node, "'\(host)' is no address of this machine", "a numeric one, such as 0.0.0.0 or 127.0.0.1")
        }
    }

    private mutating func advertise(_ route: ConfigurationNode, listenPort: UInt16) -> Advertise? {
        guard let node = route["advertise"] else { return nil }
        if node["sni"] == nil, let port = node["port"] {
            report(port, "'port' stands beside sni only", "leave it out: each node has one of ports")
        }
        if let pattern = node["sni"]?.text {
            if !pattern.contains("{id}") { report(node, "'\(pattern)' has no {id}", "broker-{id}.gateway.example.com") }
            if route["tls"] == nil {
                report(node, "server names are seen with TLS only", "tls on the route, or ports instead of sni")
            }
            if node["ports"] != nil { report(node, "sni and ports stand beside each other", "one of them") }
            for key in ["host", "firstBroker"] {
                guard let node = node[key] else { continue }
                report(node, "'\(key)' stands beside ports only", "leave it out: sni names each node")
            }
            let port = node["port"]?.integer.flatMap { UInt16(exactly: $0) } ?? listenPort
            return Advertise(
                host: "", ports: nil, firstNode: 0, serverNamePattern: pattern, port: port)
        }
        guard let host = node["host"]?.text else {
            report(node, "'host' is missing", "the gateway's name as clients reach it")
            return nil
        }
        guard let ports = node["ports"]?.text.flatMap(TextForms.portRange) else {
            if node["ports"] == nil { report(node, "'ports' is missing", "one port a node, such as 9193-9199") }
            return nil
        }
        return Advertise(
            host: host, ports: ports, firstNode: Int32(clamping: node["firstBroker"]?.integer ?? 0),
            serverNamePattern: nil, port: listenPort)
    }

    private mutating func tls(_ node: ConfigurationNode?) -> Configuration.TLS? {
        guard let node else { return nil }
        let before = problems.count
        let certificate = file(node["certificate"])
        let key = file(node["key"])
        let clientCA = file(node["clientCA"])
        if node["clientCertificate"] != nil, node["clientCA"] == nil {
            report(node, "clientCertificate without clientCA", "the authorities of client certificates")
        }
        guard let certificate, let key else { return nil }
        let requires = node["clientCertificate"]?.text != "optional" && clientCA != nil
        if withSecrets, problems.count == before {
            do throws(TLSConfigurationError) {
                _ = try TLSServerContext(
                    certificate: certificate, key: key, clientCA: clientCA,
                    clients: clientCA == nil ? .none : requires ? .required : .optional)
            } catch { report(node, "\(error)", "a certificate and its own key, in PEM") }
        }
        return Configuration.TLS(
            certificate: certificate, key: key, clientCA: clientCA, requiresClientCertificate: requires)
    }

    // MARK: The rest

    private mutating func evidence(_ node: ConfigurationNode?) {
        let directory = secrets.path(node?["directory"]?.text ?? "evidence")
        configuration.evidence.directory = directory
        if let node = node?["directory"], secrets.opensFiles,
            let file = ConfigurationBuilder.file(inTheWayOf: directory)
        {
            report(node, "\(file) is a file", "a folder of the gateway's own, made where it is not there")
        }
        configuration.evidence.isStrict = node?["durability"]?.text != "relaxed"
        configuration.evidence.stopsOnFailure = node?["onFailure"]?.text != "gap"
    }

    /// What is there of a folder's path, from the root on, and is no folder.
    private static func file(inTheWayOf folder: String) -> String? {
        var url = URL(fileURLWithPath: folder)
        var isFolder: ObjCBool = false
        while unsafe !FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) {
            guard url.pathComponents.count > 1 else { return nil }
            url.deleteLastPathComponent()
        }
        return isFolder.boolValue ? nil : url.path
    }

    private mutating func transport(_ node: ConfigurationNode?) {
        configuration.transport.driver = node?["driver"]?.text ?? "auto"
        configuration.transport.loops = node?["loops"]?.integer ?? 0
    }

    private mutating func admin(_ node: ConfigurationNode?) {
        if let (host, port) = node?["listen"]?.address {
            configuration.admin.host = host
            configuration.admin.port = port
            if let listen = node?["listen"] { requireListener(listen, host) }
        }
        configuration.admin.tls = tls(node?["tls"])
        if let node, node["tls"] == nil, node["insecure"]?.boolean != true,
            !TextForms.isLoopback(configuration.admin.host)
        {
            report(node, "plaintext outside loopback", "tls: { certificate: ..., key: ... }, or insecure: true")
        }
    }

    /// Health and metrics have a port of their own, also where the configuration leaves it at the default.
    private mutating func adminPort(_ root: ConfigurationNode) {
        let (host, port) = (configuration.admin.host, configuration.admin.port)
        guard port != 0, let other = taken.first(where: { $0.port == port && TextForms.overlap($0.host, host) }) else {
            return
        }
        report(
            root["admin"]?["listen"] ?? root["admin"] ?? root,
            "port \(port) of admin.listen is taken by the route '\(other.route)'", "another port for one of them")
    }

    private mutating func limits(_ node: ConfigurationNode?) {
        func size(_ key: String) -> Int? { node?[key]?.text.flatMap(TextForms.bytes) }
        func seconds(_ key: String) -> Int? { node?[key]?.text.flatMap(TextForms.seconds) }
        if let value = size("frame") { configuration.limits.frameBytes = value }
        if let value = size("unauthenticatedFrame") { configuration.limits.unauthenticatedFrameBytes = value }
        if let value = seconds("timeToAuthenticate") { configuration.limits.secondsToAuthenticate = value }
        if let value = seconds("idle") { configuration.limits.idleSeconds = value }
        if let value = node?["requestsInFlight"]?.integer { configuration.limits.requestsInFlight = value }
        if let value = node?["sessionsPerPrincipal"]?.integer { configuration.limits.sessionsPerPrincipal = value }
        if let value = node?["sessions"]?.integer { configuration.limits.sessions = value }
        if let value = size("memory") { configuration.limits.totalBytes = value }
    }
}
