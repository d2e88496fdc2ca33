import TidegateCore
import TidegateCrypto
import TidegateWire

/// The gateway's own log-in at a broker: SaslHandshake 1, then SaslAuthenticate 0 with PLAIN or SCRAM (RFC 5802).
///
/// ```
///  idle ──connected──▶ handshake ──▶ plain ─────────────────────────▶ ready
///                            └──▶ scramFirst ──▶ scramFinal ──▶ ────▶ ready
/// ```
/// Without credentials it is ready at once.
struct UpstreamLogIn {
    enum State {
        case idle
        case handshake
        case plain
        case scramFirst(ScramClient)
        case scramFinal(ScramClient)
        case ready
    }
    private(set) var state = State.idle
    let cluster: KafkaCluster
    private var correlation: Int32 = 0

    init(cluster: KafkaCluster) { self.cluster = cluster }

    var isReady: Bool {
        if case .ready = state { return true }
        return false
    }

    mutating func begin(_ output: inout WireOutput) {
        guard let sasl = cluster.settings.sasl else {
            state = .ready
            return
        }
        state = .handshake
        var body: [UInt8] = []
        body.append(string: Array(sasl.mechanism.rawValue.utf8), isFlexible: false)
        send(key: KafkaKey.saslHandshake, version: 1, body, &output)
    }

    /// Takes the broker's answers until it is logged in.
    ///
    /// - Returns: how many bytes are consumed.
    mutating func receive(
        _ window: RawSpan, _ governor: inout Governor, _ output: inout WireOutput
    ) throws(WireViolation) -> Int {
        var consumed = 0
        while !isReady {
            guard let length = window.bigEndian(Int32.self, at: consumed) else { return consumed }
            guard length >= 4, length <= 65_536 else {
                throw WireViolation("a log-in answer of an odd length", side: .backend, at: consumed)
            }
            let frame = consumed..<(consumed + 4 + Int(length))
            guard frame.upperBound <= window.byteCount else { return consumed }
            var reader = FieldReader(at: frame.lowerBound + 8, end: frame.upperBound, isFlexible: false)
            do throws(FieldReader.Failure) {
                guard try take(&reader, window, &governor, &output) else { return consumed }
            } catch {
                throw WireViolation("a log-in answer shorter than its fields", side: .backend, at: consumed)
            }
            consumed = frame.upperBound
        }
        return consumed
    }

    /// - Returns: false where a question is open.
    private mutating func take(
        _ reader: inout FieldReader, _ window: RawSpan, _ governor: inout Governor, _ output: inout WireOutput
    ) throws(FieldReader.Failure) -> Bool {
        let error = try reader.integer(Int16.self, window)
        guard error == KafkaError.none else {
            cluster.report(logInError: error)
            output.close(.backendRefusedLogIn)
            return true
        }
        guard let sasl = cluster.settings.sasl else { return true }
        switch state {
        case .idle, .ready: return true
        case .handshake:
            switch sasl.mechanism {
            case .plain:
                var message: [UInt8] = [0]
                message.append(contentsOf: Array(sasl.username.utf8))
                message.append(0)
                message.append(contentsOf: sasl.password)
                authenticate(message, &output)
                state = .plain
            case .scramSHA256, .scramSHA512:
                let client = ScramClient(
                    hash: sasl.mechanism == .scramSHA256 ? .sha256 : .sha512, username: sasl.username)
                authenticate(client.first, &output)
                state = .scramFirst(client)
            }
            return true
        case .plain:
            state = .ready
            return true
        case .scramFirst(var client):
            let message = try token(&reader, window)
            guard let challenge = client.challenge(message) else { return refuse(&output) }
            guard
                let salted = cluster.saltedPassword(
                    client.hash, salt: challenge.salt, iterations: challenge.iterations, waking: governor.waker)
            else {
                output.park(.backend)
                return false
            }
            authenticate(client.final(challenge, salted: salted), &output)
            state = .scramFinal(client)
            return true
        case .scramFinal(let client):
            guard client.verify(try token(&reader, window)) else { return refuse(&output) }
            state = .ready
            return true
        }
    }

    private func refuse(_ output: inout WireOutput) -> Bool {
        cluster.report(logInError: KafkaError.saslAuthenticationFailed)
        output.close(.backendRefusedLogIn)
        return true
    }

    /// ErrorMessage, then AuthBytes of SaslAuthenticateResponse 0.
    private func token(_ reader: inout FieldReader, _ window: RawSpan) throws(FieldReader.Failure) -> [UInt8] {
        _ = try reader.string(window)
        let length = max(0, try reader.length(isString: false, window))
        let start = try reader.take(length, window)
        return window.bytes(start..<(start + length))
    }

    private mutating func authenticate(_ message: [UInt8], _ output: inout WireOutput) {
        var body: [UInt8] = []
        body.append(bigEndian: Int32(clamping: message.count))
        body.append(contentsOf: message)
        send(key: KafkaKey.saslAuthenticate, version: 0, body, &output)
    }

    private mutating func send(key: Int16, version: Int16, _ body: [UInt8], _ output: inout WireOutput) {
        correlation &+= 1
        output.sayToBackend(OwnRequest.frame(key: key, version: version, correlation: correlation, body), about: .logIn)
    }
}

/// Requests of the gateway's own, with header version 1 (or 2 where flexible).
enum OwnRequest {
    static func frame(key: Int16, version: Int16, correlation: Int32, _ body: [UInt8], isFlexible: Bool = false)
        -> [UInt8]
    {
        let client = Array("tidegate".utf8)
        var bytes: [UInt8] = []
        bytes.append(bigEndian: Int32(clamping: 10 + client.count + (isFlexible ? 1 : 0) + body.count))
        bytes.append(bigEndian: key)
        bytes.append(bigEndian: version)
        bytes.append(bigEndian: correlation)
        bytes.append(string: client, isFlexible: false)
        if isFlexible { bytes.append(0) }
        bytes.append(contentsOf: body)
        return bytes
    }
}
