public import TidegateCore
public import TidegateIdentity
public import TidegateMasking
public import TidegatePolicy
public import TidegateTokens

/// A configuration that was found right: plain values, with what is left out filled in.
public struct Configuration: Sendable {
    public struct Backend: Sendable {
        public var name: String
        /// The key under the name: `kafka`.
        public var protocolName: String
        public var settings: ConfigurationNode
        /// Files that the settings name, absolute.
        public var files: [String] = []
    }
    public struct TLS: Sendable, Equatable {
        /// Absolute paths.
        public var certificate, key: String
        public var clientCA: String?
        public var requiresClientCertificate: Bool
    }
    public struct Route: Sendable {
        public var name: String
        public var host: String
        public var port: UInt16
        public var backend: String
        public var advertise: Advertise?
        public var proxyNetworks: [String]?
        public var tls: TLS?
        public var isInsecure: Bool

        /// Tokens may travel: TLS, loopback, or said in so many words.
        public var isConfidential: Bool { tls != nil || isInsecure || TextForms.isLoopback(host) }
        /// Where the route listens: its own port, and one a node.
        public var ports: [UInt16] { Array(Set([port] + (advertise?.ports.map { Array($0) } ?? []))).sorted() }
    }
    public struct Evidence: Sendable, Equatable {
        public var directory = "evidence"
        public var isStrict = true
        public var stopsOnFailure = true
    }
    public struct Transport: Sendable, Equatable {
        public var driver = "auto"
        /// 0: one a core.
        public var loops = 0
    }
    public struct Admin: Sendable {
        public var host = "127.0.0.1"
        public var port: UInt16 = 8480
        public var tls: TLS?
    }

    public var issuers: [IssuerSettings] = []
    public var backends: [Backend] = []
    public var routes: [Route] = []
    public var policies: [PolicyRule] = []
    /// `MaskIndex` n is element n - 1.
    public var profiles: [MaskingProfile] = []
    /// Which tokens rules open; `MaskIndex.opens` n is element n - 1.
    public var scopes: [UnmaskScope] = []
    /// By profile, as `profiles`: the domains of the tokens that it makes and that can be opened.
    public var openable: [[String]] = []
    /// All keys; none where secrets are not read.
    public var maskingKeys: [MaskingKey] = []
    public var evidence = Evidence()
    public var transport = Transport()
    public var admin = Admin()
    public var limits = SessionLimits()
    public var logLevel = Log.Level.info
}
