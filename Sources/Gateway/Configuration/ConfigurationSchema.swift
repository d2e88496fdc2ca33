public import TidegateCore

/// The whole configuration as one schema: the validator's source, and the published JSON Schema's.
public enum ConfigurationSchema {
    typealias Property = SettingsSchema.Property
    static let file = SettingsSchema.text(example: "certs/gw.pem", check: .file)
    static let name = SettingsSchema.text(example: "orders")
    static let globs = SettingsSchema.oneOrMore(.text(example: "orders.*", check: .glob))
    static let privateKey = SettingsSchema.text(example: "certs/gw.key", check: .secretFile)
    static let day = 86_400
    static let mebibyte = 1 << 20
    static let later = "it comes with a later version; leave it out"

    public static func root(_ backends: [BackendDeclaration]) -> SettingsSchema {
        .object([
            Property("identity", identity, "Whose tokens are believed."),
            Property(
                "backends", .map(backend(backends)), "The streaming systems behind the gateway, by a name of your own."),
            Property("routes", .list(route), "Where clients connect, and which backend each leads to."),
            Property("policies", .list(policy(backends)), "Who may do what; what no rule allows is denied."),
            Property("masking", masking, "What is hidden in what flows back."),
            Property("evidence", evidence, "Where and how what happened is written down."),
            Property("transport", transport, "Event loops and their driver."),
            Property("admin", admin, "Health, readiness and metrics."),
            Property("limits", limits, "What one session, one person, or all may take."),
            Property(
                "log",
                .object([
                    Property("level", .word(["debug", "info", "warning", "error"]), "The least level that is written.")
                ]), "The log on standard error."),
            Property("state", .anything, "Requests, grants and locks.", unavailable: later),
        ])
    }

    private static let identity = SettingsSchema.object([
        Property(
            "issuers",
            .list(
                .object([
                    Property(
                        "issuer", .text(example: "https://idp.example.com/realms/main", check: .url), required: true,
                        "Exactly the token's iss; keys are found by discovery."),
                    Property("audience", .text(example: "tidegate"), required: true, "What the token's aud must hold."),
                    Property(
                        "groupsClaim", .text(example: "groups"), "Dotted path of the claim with the groups (groups)."),
                    Property(
                        "subjectClaim", .text(example: "sub"), "Dotted path of the claim that names the person (sub)."),
                    Property(
                        "prefix", .text(example: "corp:", check: .orEmpty),
                        "Before subject and groups; must differ between issuers."),
                    Property(
                        "jwksURL", .text(example: "https://idp.example.com/keys", check: .url),
                        "Where the keys are, instead of discovery."),
                    Property(
                        "jwksFile", .text(example: "keys.json", check: .file),
                        "A file with the keys, instead of discovery."),
                    Property("ca", file, "Authorities to trust when fetching; the system's without it."),
                    Property("leeway", duration("60s", 0...300), "How far clocks may differ (60s)."),
                    Property(
                        "insecure", .boolean,
                        "Keys fetched in the clear outside loopback, where whoever changes them forges tokens."),
                    Property("clientID", .anything, "Public client of console and login.", unavailable: later),
                ]), nonEmpty: true), required: true, "Trusted issuers of OIDC tokens.")
    ])

    static func duration(_ example: String, _ seconds: ClosedRange<Int>) -> SettingsSchema {
        .text(example: example, check: .duration(seconds))
    }
    private static func size(_ example: String, _ bytes: ClosedRange<Int>) -> SettingsSchema {
        .text(example: example, check: .size(bytes))
    }

    private static func backend(_ declarations: [BackendDeclaration]) -> SettingsSchema {
        let known = declarations.map {
            Property($0.protocolName, $0.settings, "A backend that speaks \($0.protocolName).")
        }
        let coming = ["redis", "postgres"].filter { name in !declarations.contains { $0.protocolName == name } }
        return .choice(
            known + coming.map { Property($0, .anything, "A backend that speaks \($0).", unavailable: later) })
    }

    private static let route = SettingsSchema.object([
        Property("name", name, required: true, "What policies and evidence call the route."),
        Property(
            "listen", .text(example: "0.0.0.0:9192", check: .address), required: true, "Where clients connect first."),
        Property("backend", name, required: true, "One of backends."),
        Property(
            "advertise",
            .object([
                Property("host", .text(example: "gateway.example.com"), "The gateway's name as clients reach it."),
                Property(
                    "ports", .text(example: "9193-9199", check: .portRange),
                    "Broker N is at the first port + N - firstBroker, always."),
                Property("firstBroker", .integer(0...Int(Int32.max)), "The broker of the first port (0)."),
                Property(
                    "sni", .text(example: "broker-{id}.gateway.example.com"),
                    "All brokers on one port, told apart by TLS server name."),
                Property("port", .integer(1...65_535), "The port beside sni."),
            ]), "How clients are told to reach each node."),
        Property(
            "proxyProtocol", .list(.text(example: "10.0.0.0/8", check: .network)),
            "Balancers whose PROXY v2 header is believed."),
        Property(
            "tls",
            .object([
                Property("certificate", file, required: true, "PEM, the chain, the leaf first."),
                Property("key", privateKey, required: true, "PEM, the leaf's key."),
                Property("clientCA", file, "Authorities of client certificates."),
                Property(
                    "clientCertificate", .word(["optional", "required"]),
                    "Whether a client must show one (required with clientCA)."),
            ]), "TLS for clients."),
        Property("insecure", .boolean, "Plaintext outside loopback, tokens in the clear: said in so many words."),
    ])

    private static func policy(_ declarations: [BackendDeclaration]) -> SettingsSchema {
        var kinds: [Property] = []
        for kind in declarations.flatMap(\.kinds) where !kinds.contains(where: { $0.key == kind.plural }) {
            kinds.append(
                Property(
                    kind.plural, kind.isFlag ? .boolean : globs,
                    kind.isFlag ? "The \(kind.singular) as such." : "Names or globs of \(kind.plural)."))
        }
        for plural in ["streams", "keys", "channels", "publications", "slots", "tables"]
        where !kinds.contains(where: { $0.key == plural }) {
            kinds.append(Property(plural, .anything, "Resources of another backend.", unavailable: later))
        }
        return .object([
            Property(
                "name", .text(example: "analysts read orders, masked"), required: true,
                "Unique; refusals and evidence name it."),
            Property(
                "subjects",
                .either([
                    .object([
                        Property("groups", .oneOrMore(.text(example: "analysts")), "Any of these groups."),
                        Property("subjects", globs, "Subjects by name or glob."),
                        Property(
                            "claims", .map(.oneOrMore(.text(example: "etl")), nonEmpty: true),
                            "Claims by dotted path, any of the values."),
                    ]), .word(["*"]),
                ]), "Who; keys beside each other must all match."),
            Property("routes", .oneOrMore(name), "Any of these; left out means any."),
            Property("actions", .oneOrMore(.word(["*"] + Action.allCases.map(\.name))), "What is done."),
            Property("resources", .either([.object(kinds), .word(["*"])]), "To what, by kind."),
            Property(
                "commands", .oneOrMore(.text(example: "\"@read\"")),
                "By what request: any of these names of the backend's, or @categories; left out means any."),
            Property(
                "effect", .word(["allow", "deny", "require-approval"]), required: true,
                "What the rule decides; require-approval refuses until approvals are built."),
            Property("masking", name, "A profile of masking."),
            Property(
                "dryRun", .boolean,
                "What masking would hide is counted in evidence, and everything is handed over as it is."),
            Property(
                "unmask",
                .either([
                    .boolean,
                    .object([
                        Property(
                            "domains", .oneOrMore(.text(example: "email")), required: true, "Tokens of these domains.")
                    ]),
                ]), "Reversible tokens are opened for whom the rule allows: all, or those of some domains."),
            Property(
                "recording", .word(["positions", "messages"]), "What evidence keeps of what is handed over (positions)."
            ),
            Property("limits", .anything, "Budgets.", unavailable: later),
            Property("onExceed", .anything, "What happens beyond a budget.", unavailable: later),
            Property(
                "approval", .anything, "Who approves.",
                unavailable: "a require-approval rule refuses until a later version; leave it out"),
            Property("credentials", .anything, "Credentials for jobs.", unavailable: later),
        ])
    }

    private static let evidence = SettingsSchema.object([
        Property("directory", .text(example: "evidence"), "A folder of the gateway's own (evidence)."),
        Property(
            "durability", .word(["strict", "relaxed"]),
            "strict (the default): on stable storage before bytes leave; relaxed: within 200 ms."),
        Property("onFailure", .word(["stop", "gap"]), "stop (the default) or a gap that is written down."),
    ])

    private static let transport = SettingsSchema.object([
        Property("driver", .word(["auto", "io_uring", "epoll"]), "auto (the default) tries io_uring."),
        Property("loops", .integer(1...256), "Event loops; one a core without it."),
    ])

    private static let admin = SettingsSchema.object([
        Property(
            "listen", .text(example: "127.0.0.1:8480", check: .address),
            "Where health and metrics are (127.0.0.1:8480)."),
        Property(
            "tls",
            .object([
                Property("certificate", file, required: true, "PEM, the chain, the leaf first."),
                Property("key", privateKey, required: true, "PEM, the leaf's key."),
            ]), "TLS for health and metrics."),
        Property("insecure", .boolean, "Plaintext outside loopback."),
        Property("url", .anything, "The address as browsers reach it.", unavailable: later),
        Property("operators", .anything, "Who operates.", unavailable: later),
        Property("auditors", .anything, "Who audits.", unavailable: later),
    ])

    private static let limits = SettingsSchema.object([
        Property(
            "frame", size("100MiB", 1024...1024 * mebibyte),
            "The longest request, masked answer of Kafka, or answer of Redis (100MiB)."),
        Property(
            "unauthenticatedFrame", size("64KiB", 1024...100 * mebibyte), "The longest request before log-in (64KiB)."),
        Property("timeToAuthenticate", duration("10s", 1...30 * day), "Until a client has said who it is (10s)."),
        Property("idle", duration("10m", 1...30 * day), "Without a byte either way (10m)."),
        Property("requestsInFlight", .integer(1...1_000_000), "On one connection (1024)."),
        Property("sessionsPerPrincipal", .integer(1...10_000_000), "Of one subject (10000)."),
        Property("sessions", .integer(1...10_000_000), "In all (100000)."),
        Property("memory", size("1GiB", mebibyte...(1 << 40)), "What all sessions may hold (1GiB)."),
    ])
}
