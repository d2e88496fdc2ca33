import TidegateCore
import TidegateWire

/// The gateway's own log-in at a server: AUTH with the password, and the user where there is one.
///
/// Redis' default user needs none where it has no password; then it is ready at once.
struct UpstreamLogIn {
    private(set) var isReady = false
    private let servers: RedisServers
    private let login: RedisSettings.Login?

    init(servers: RedisServers) { self.init(servers: servers, as: servers.settings.login) }

    /// At a server that has a log-in of its own: a sentinel.
    init(servers: RedisServers, as login: RedisSettings.Login?) {
        self.servers = servers
        self.login = login
    }

    mutating func begin(_ output: inout WireOutput) {
        guard let words = command else {
            isReady = true
            return
        }
        output.sayToBackend(words, about: .logIn)
    }

    /// The AUTH of the settings, nil where they have none.
    var command: [UInt8]? {
        guard let login else { return nil }
        var arguments = [Array("AUTH".utf8)]
        if let username = login.username { arguments.append(Array(username.utf8)) }
        arguments.append(login.password)
        return RESPText.command(arguments)
    }

    /// Takes the answer to AUTH.
    ///
    /// - Returns: how many bytes are consumed.
    mutating func receive(_ window: RawSpan, _ output: inout WireOutput) throws(WireViolation) -> Int {
        guard case .token(let token) = try RESP.read(window, at: 0, byteLimit: 1 << 16) else { return 0 }
        if token.kind == .simple, window.equals("OK", token.content) {
            isReady = true
        } else {
            refuse(token, window, &output)
        }
        return token.range.upperBound
    }

    /// Ends the session behind a refused log-in. The server's words hold no secret: they name the code, at most the user.
    func refuse(_ token: RESPToken, _ window: RawSpan, _ output: inout WireOutput) {
        servers.reportLogIn(String(decoding: window.bytes(token.content).prefix(200), as: UTF8.self))
        output.close(.backendRefusedLogIn)
    }
}
