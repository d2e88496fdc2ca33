import TidegateCore
import TidegateCrypto
import TidegateIdentity
import TidegateMasking
import TidegatePolicy

/// Reads typed values out of nodes and judges what a schema cannot: names that lead nowhere, doubles, overlaps.
struct ConfigurationBuilder {
    private(set) var problems: [ConfigurationProblem] = []
    private let declarations: [BackendDeclaration]
    private let secrets: FileSecretReader
    private let withSecrets: Bool
    private var configuration = Configuration()
    private var profileNames: [String] = []
    /// Names as they stand there, right or not: a name that leads to something wrong does not lead nowhere.
    private var routeNames: [String] = []
    private var backendNames: [String] = []
    private var protocolOfRoute: [String: String] = [:]

    init(_ declarations: [BackendDeclaration], _ secrets: FileSecretReader, withSecrets: Bool) {
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
        masking(root["masking"])
        policies(root["policies"], knowsRoutes: root["routes"] != nil, knowsProfiles: sections.contains(.masking))
        evidence(root["evidence"])
        transport(root["transport"])
        admin(root["admin"])
        limits(root["limits"])
        if let word = root["log"]?["level"]?.text {
            configuration.logLevel = [Log.Level.debug, .info, .warning, .error].first { $0.name == word } ?? .info
        }
        return configuration
    }

    private mutating func report(
        _ node: ConfigurationNode, _ message: String, _ suggestion: String,
        _ severity: ConfigurationProblem.Severity = .error
    ) {
        problems.append(ConfigurationProblem(severity, at: node, message, suggestion: suggestion))
    }

    private mutating func file(_ node: ConfigurationNode?) -> String? {
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
            guard let name = issuer["issuer"]?.text, let audience = issuer["audience"]?.text else { continue }
            if !seen.insert(name).inserted { report(issuer, "the issuer '\(name)' stands twice", "each issuer once") }
            let prefix = issuer["prefix"]?.text ?? ""
            if !prefixes.insert(prefix).inserted {
                report(issuer, "two issuers have the prefix '\(prefix)'", "a prefix of its own for each issuer")
            }
            var keys = IssuerSettings.Keys.discovery
            if let url = issuer["jwksURL"]?.text { keys = .url(url) }
            if let node = issuer["jwksFile"] {
                if issuer["jwksURL"] != nil {
                    report(node, "jwksFile and jwksURL stand beside each other", "one of them")
                }
                if let path = file(node) { keys = .file(path) }
            }
            configuration.issuers.append(
                IssuerSettings(
                    issuer: name, audience: audience, groupsClaim: issuer["groupsClaim"]?.text ?? "groups",
                    subjectClaim: issuer["subjectClaim"]?.text ?? "sub", prefix: prefix, keys: keys,
                    caFile: file(issuer["ca"]), leewaySeconds: issuer["leeway"]?.text.flatMap(TextForms.seconds) ?? 60))
        }
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
        var taken: [(host: String, port: UInt16, route: String)] = []
        routeNames = (node?.elements ?? []).compactMap { $0["name"]?.text }
        for route in node?.elements ?? [] {
            guard let name = route["name"]?.text, let listen = route["listen"],
                let (host, port) = listen.address, let backend = route["backend"]
            else { continue }
            if !names.insert(name).inserted { report(route, "two routes are called '\(name)'", "a name of its own") }
            let known = configuration.backends.first { $0.name == backend.text }
            protocolOfRoute[name] = known?.protocolName
            if let text = backend.text, !backendNames.contains(text), knowsBackends {
                report(backend, "there is no backend '\(text)'", SettingsValidator.oneOf(backendNames, near: text))
            }
            if host != "localhost", !TextForms.isNumericHost(host) {
                report(listen, "'\(host)' is no address of this machine", "a numeric one, such as 0.0.0.0 or 127.0.0.1")
            }
            var built = Configuration.Route(
                name: name, host: host, port: port, backend: backend.text ?? "", advertise: nil,
                proxyNetworks: route["proxyProtocol"]?.texts, tls: tls(route["tls"]),
                isInsecure: route["insecure"]?.boolean ?? false)
            built.advertise = advertise(route, listen: (host, port))
            let needsAddresses =
                declarations.first { $0.protocolName == known?.protocolName }?.requiresAdvertise ?? false
            if needsAddresses, route["advertise"] == nil {
                report(
                    route, "'advertise' is missing: clients of this backend are told where its nodes are",
                    "advertise: { host: NAME, ports: FIRST-LAST }")
            }
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
                taken.append((host, port, name))
            }
            configuration.routes.append(built)
        }
    }

    private mutating func advertise(_ route: ConfigurationNode, listen: (host: String, port: UInt16)) -> Advertise? {
        guard let node = route["advertise"] else { return nil }
        if let pattern = node["sni"]?.text {
            if !pattern.contains("{id}") { report(node, "'\(pattern)' has no {id}", "broker-{id}.gateway.example.com") }
            if route["tls"] == nil {
                report(node, "server names are seen with TLS only", "tls on the route, or ports instead of sni")
            }
            if node["ports"] != nil { report(node, "sni and ports stand beside each other", "one of them") }
            let port = node["port"]?.integer.flatMap { UInt16(exactly: $0) } ?? listen.port
            return Advertise(
                host: node["host"]?.text ?? "", ports: nil, firstNode: 0, serverNamePattern: pattern, port: port)
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
            serverNamePattern: nil, port: listen.port)
    }

    private mutating func tls(_ node: ConfigurationNode?) -> Configuration.TLS? {
        guard let node else { return nil }
        let before = problems.count
        let certificate = file(node["certificate"])
        let key = file(node["key"])
        let clientCA = file(node["clientCA"])
        guard let certificate, let key else { return nil }
        let requires = node["clientCertificate"]?.text != "optional" && clientCA != nil
        if node["clientCertificate"] != nil, node["clientCA"] == nil {
            report(node, "clientCertificate without clientCA", "the authorities of client certificates")
        }
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

    // MARK: Masking

    private mutating func masking(_ node: ConfigurationNode?) {
        for (key, value) in node?["profiles"]?.entries ?? [] {
            guard let name = key.text else { continue }
            let nodes = value["rules"]?.elements ?? []
            var rules: [MaskingRule] = []
            for rule in nodes {
                guard let field = rule["field"]?.text else {
                    if rule["detect"] == nil, rule["column"] == nil {
                        report(rule, "'field' is missing", "a path such as card.number")
                    }
                    continue
                }
                guard let action = action(rule["action"]) else { continue }
                let parts: [String: RecordPart] = ["key": .key, "value": .value, "headers": .header]
                let named = rule["in"]?.texts.compactMap { parts[$0] }
                rules.append(
                    MaskingRule(field: field, parts: named.map(Set.init) ?? [.value, .header], action: action))
            }
            guard rules.count == nodes.count else {
                profileNames.append(name)
                continue
            }
            if let node = value["onFailure"], node.text == "pass" {
                report(node, "values that cannot be looked into pass unmasked", "redact-value or drop-record", .warning)
            }
            let settings = MaskingProfileSettings(
                name: name,
                onFailure: value["onFailure"]?.text.flatMap { MaskingOnFailure(rawValue: $0) } ?? .redactValue,
                rules: rules)
            do throws(MaskingSettingsError) {
                let profile = try MaskingProfile(settings)
                configuration.profiles.append(profile)
                for warning in profile.warnings where warning.rule < nodes.count {
                    report(nodes[warning.rule], warning.message, warning.suggestion, .warning)
                }
            } catch {
                let place = error.rule < nodes.count ? nodes[error.rule] : value
                report(place, error.message, error.suggestion)
            }
            profileNames.append(name)
        }
    }

    private func action(_ node: ConfigurationNode?) -> MaskingAction? {
        guard let node else { return nil }
        switch node.text {
        case "redact": return .redact("[redacted]")
        case "nullify": return .nullify
        case "drop": return .drop
        default: break
        }
        if let text = node["redact"]?.text { return .redact(text) }
        if let count = node["keepFirst"]?.integer, count > 0 { return .keepFirst(count) }
        if let count = node["keepLast"]?.integer, count > 0 { return .keepLast(count) }
        return nil
    }

    // MARK: Policies

    private mutating func policies(_ node: ConfigurationNode?, knowsRoutes: Bool, knowsProfiles: Bool) {
        var names: Set<String> = []
        var places: [String: ConfigurationNode] = [:]
        for rule in node?.elements ?? [] {
            guard let name = rule["name"]?.text,
                let effect = rule["effect"]?.text.flatMap({ PolicyRule.Effect(rawValue: $0) })
            else { continue }
            if !names.insert(name).inserted { report(rule, "two rules are called '\(name)'", "a name of its own") }
            places[name] = rule
            if effect != .deny {
                for key in ["subjects", "actions", "resources"]
                where !rule.entries.contains(where: { $0.key.text == key }) {
                    report(rule, "'\(key)' is missing", "only a deny may leave it out; \"*\" is any")
                }
            }
            if let node = rule["subjects"], case .mapping(let entries) = node.content, entries.isEmpty {
                report(node, "no subject is named", "groups, subjects or claims; \"*\" is anybody")
            }
            kinds(rule, protocolOfRoute)
            for route in rule["routes"].map({ $0.elements.isEmpty ? [$0] : $0.elements }) ?? [] where knowsRoutes {
                if let name = route.text, !routeNames.contains(name) {
                    report(
                        route, "there is no route '\(name)'", SettingsValidator.oneOf(routeNames, near: name))
                }
            }
            var built = PolicyRule(
                name: name, subjects: subjects(rule["subjects"]), routes: rule["routes"]?.texts ?? [],
                actions: actions(rule["actions"]), resources: resources(rule["resources"]), effect: effect,
                mask: mask(rule["masking"], knowsProfiles),
                recording: rule["recording"]?.text == "messages" ? .messages : .positions)
            if effect == .deny { built.mask = .none }
            if effect == .deny, let node = rule["masking"] {
                report(node, "a deny hands nothing over, so nothing is masked", "leave it out", .warning)
            }
            configuration.policies.append(built)
        }
        for (name, message) in CompiledPolicy(configuration.policies).lint() {
            if let place = places[name] {
                report(place, "'\(name)' \(message)", "make one more specific, or take it out", .warning)
            }
        }
    }

    /// Kinds that none of the rule's routes knows: such a rule would never be asked.
    private mutating func kinds(_ rule: ConfigurationNode, _ protocolOfRoute: [String: String]) {
        guard let node = rule["resources"] else { return }
        if case .mapping(let entries) = node.content, entries.isEmpty {
            report(node, "no resource is named", "a kind with names; \"*\" is any")
        }
        let declared = declarations.flatMap(\.kinds)
        let routes = rule["routes"]?.texts ?? routeNames
        let protocols = Set(routes.compactMap { protocolOfRoute[$0] })
        let isCertain = !routes.isEmpty && routes.allSatisfy { protocolOfRoute[$0] != nil }
        let known = declarations.filter { protocols.contains($0.protocolName) }.flatMap(\.kinds)
        for (key, value) in node.entries {
            guard let kind = declared.first(where: { $0.plural == key.text }) else { continue }
            if kind.isFlag, value.boolean == false {
                report(value, "false names nothing", "true, or leave the key out")
            }
            if isCertain, !known.contains(kind) {
                report(
                    key, "the rule's routes have no \(kind.plural)",
                    SettingsValidator.oneOf(known.map(\.plural), near: nil))
            }
        }
    }

    private func subjects(_ node: ConfigurationNode?) -> PolicyRule.Subjects {
        guard let node, node.text == nil else { return .init() }
        var claims: [String: [String]] = [:]
        for (key, value) in node["claims"]?.entries ?? [] { claims[key.text ?? ""] = value.texts }
        return .init(
            groups: node["groups"]?.texts ?? [], subjects: (node["subjects"]?.texts ?? []).map { Glob($0) },
            claims: claims)
    }

    private func actions(_ node: ConfigurationNode?) -> Set<Action> {
        let words = node?.texts ?? []
        return words.contains("*") ? [] : Set(words.compactMap { Action(name: $0) })
    }

    private func resources(_ node: ConfigurationNode?) -> PolicyRule.Resources {
        guard let node else { return .unspecified }
        if node.text == "*" { return .any }
        var kinds: [String: [Glob]] = [:]
        let declared = declarations.flatMap(\.kinds)
        for (key, value) in node.entries {
            guard let kind = declared.first(where: { $0.plural == key.text }) else { continue }
            if kind.isFlag {
                if value.boolean == true { kinds[kind.singular] = [Glob("*")] }
            } else {
                kinds[kind.singular] = value.texts.map { Glob($0) }
            }
        }
        return .kinds(kinds)
    }

    private mutating func mask(_ node: ConfigurationNode?, _ knowsProfiles: Bool) -> MaskIndex {
        guard let node, let name = node.text, knowsProfiles else { return .none }
        guard profileNames.contains(name) else {
            report(node, "there is no masking profile '\(name)'", SettingsValidator.oneOf(profileNames, near: name))
            return .none
        }
        let index = configuration.profiles.firstIndex { $0.name == name } ?? 0
        return MaskIndex(UInt16(clamping: index + 1))
    }

    // MARK: The rest

    private mutating func evidence(_ node: ConfigurationNode?) {
        configuration.evidence.directory = secrets.path(node?["directory"]?.text ?? "evidence")
        configuration.evidence.isStrict = node?["durability"]?.text != "relaxed"
        configuration.evidence.stopsOnFailure = node?["onFailure"]?.text != "gap"
    }

    private mutating func transport(_ node: ConfigurationNode?) {
        configuration.transport.driver = node?["driver"]?.text ?? "auto"
        configuration.transport.loops = node?["loops"]?.integer ?? 0
    }

    private mutating func admin(_ node: ConfigurationNode?) {
        if let (host, port) = node?["listen"]?.address {
            configuration.admin.host = host
            configuration.admin.port = port
        }
        configuration.admin.tls = tls(node?["tls"])
        if let node, node["tls"] == nil, node["insecure"]?.boolean != true,
            !Configuration.isLoopback(configuration.admin.host)
        {
            report(node, "plaintext outside loopback", "tls: { certificate: ..., key: ... }, or insecure: true")
        }
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
