import TidegateCore
import TidegateWire

/// SaslHandshake, SaslAuthenticate and the bare tokens of handshake version 0: answered by the gateway, never by a broker.
extension KafkaMachine {
    /// How the answer to a token is framed.
    enum TokenReply {
        /// Four bytes of length, no header (after SaslHandshake 0).
        case bare
        case framed(RequestHead)
    }

    mutating func takeHandshake(
        _ header: RequestHead, _ window: RawSpan, _ governor: inout Governor, _ output: inout WireOutput
    ) throws(WireViolation) -> Progress {
        guard (0...1).contains(header.version) else {
            throw WireViolation("a SaslHandshake version that is not served")
        }
        var reader = FieldReader(at: header.body.lowerBound, end: header.body.upperBound, isFlexible: false)
        let range: Range<Int>?
        do throws(FieldReader.Failure) { range = try reader.string(window) } catch {
            throw WireViolation("a SaslHandshake without a mechanism")
        }
        let name = range.flatMap { window.text($0) } ?? ""
        let isOpen = governor.session.route.isConfidential
        var reply: [UInt8] = []
        guard isOpen, let mechanism = ClientLogIn.Mechanism(name: name) else {
            reply.append(bigEndian: KafkaError.unsupportedSASLMechanism)
            KafkaMachine.append(mechanisms: isOpen, to: &reply)
            governor.rejectSession(isOpen ? "SASL mechanism not offered" : "tokens need TLS on this listener")
            owe(KafkaMachine.answer(header.correlation, reply), &output)
            return .done
        }
        logIn.state = .offered(mechanism, isFramed: header.version == 1)
        reply.append(bigEndian: KafkaError.none)
        KafkaMachine.append(mechanisms: true, to: &reply)
        owe(KafkaMachine.answer(header.correlation, reply), &output)
        return .done
    }

    private static func append(mechanisms isOpen: Bool, to reply: inout [UInt8]) {
        let names = isOpen ? ClientLogIn.Mechanism.offered.map { Array($0.name.utf8) } : []
        reply.append(count: names.count, isFlexible: false)
        for name in names { reply.append(string: name, isFlexible: false) }
    }

    mutating func takeAuthenticate(
        _ header: RequestHead, _ window: RawSpan, _ governor: inout Governor, _ output: inout WireOutput
    ) throws(WireViolation) -> Progress {
        guard (0...2).contains(header.version) else {
            throw WireViolation("a SaslAuthenticate version that is not served")
        }
        guard case .offered(let mechanism, isFramed: true) = logIn.state else {
            owe(
                KafkaMachine.authenticateAnswer(
                    header, error: KafkaError.illegalSASLState, message: "a SaslHandshake comes first", lifetime: 0),
                &output)
            return .done
        }
        var reader = FieldReader(
            at: header.body.lowerBound, end: header.body.upperBound, isFlexible: header.version >= 2)
        let token: Range<Int>
        do throws(FieldReader.Failure) {
            let length = max(0, try reader.length(isString: false, window))
            let start = try reader.take(length, window)
            token = start..<(start + length)
        } catch { throw WireViolation("a SaslAuthenticate shorter than its token") }
        return takeToken(token, window, mechanism, reply: .framed(header), &governor, &output)
    }

    mutating func takeToken(
        _ range: Range<Int>, _ window: RawSpan, _ mechanism: ClientLogIn.Mechanism, reply: TokenReply,
        _ governor: inout Governor, _ output: inout WireOutput
    ) -> Progress {
        // The broker that this listener stands for must be known before the client is told that it is in.
        if phase == .greeting, cluster.endpoint(ofNode: node) == nil {
            if awaitRefresh(governor, &output, isLookUp: true) { return .parked }
            output.close(.backendUnreachable)
            return .closed
        }
        guard window.holds(range), let token = ClientLogIn.token(in: window.extracting(range), of: mechanism) else {
            governor.rejectSession("a SASL message without a token")
            return refuse(reply, "the message holds no token", &output)
        }
        switch governor.authenticate(Credential(secret: token)) {
        case .notYet:
            output.park(.client)
            return .parked
        case .refused(let refusal):
            return refuse(
                reply, refusal.code == .limit ? "too many sessions" : "the token was not accepted", &output,
                refusal)
        case .ready(let principal):
            logIn.state = .verified
            let lifetime = max(1, principal.expires.milliseconds(since: governor.now))
            switch reply {
            case .bare: owe([0, 0, 0, 0], &output)
            case .framed(let header):
                owe(
                    KafkaMachine.authenticateAnswer(
                        header, error: KafkaError.none, message: nil, lifetime: lifetime), &output)
            }
            join(&output)
            return .done
        }
    }

    private mutating func refuse(
        _ reply: TokenReply, _ message: String, _ output: inout WireOutput,
        _ refusal: Refusal = Refusal(.unauthenticated)
    ) -> Progress {
        if case .framed(let header) = reply {
            owe(
                KafkaMachine.authenticateAnswer(
                    header, error: KafkaError.saslAuthenticationFailed,
                    message: "Authentication failed: \(message)", lifetime: 0), &output)
        }
        // Behind answers that are still owed, so that this one is heard.
        closeBehindAnswers(.refused(refusal), &output)
        return .closed
    }

    /// SaslAuthenticateResponse 0 to 2.
    private static func authenticateAnswer(
        _ header: RequestHead, error: Int16, message: String?, lifetime: Int64
    ) -> [UInt8] {
        let isFlexible = header.version >= 2
        var body: [UInt8] = []
        body.append(bigEndian: error)
        if let message {
            body.append(string: Array(message.utf8), isFlexible: isFlexible)
        } else if isFlexible {
            body.append(0)
        } else {
            body.append(bigEndian: Int16(-1))
        }
        if isFlexible { body.append(1) } else { body.append(bigEndian: Int32(0)) }
        if header.version >= 1 { body.append(bigEndian: lifetime) }
        if isFlexible { body.append(0) }
        return answer(header.correlation, body, isFlexible: isFlexible)
    }

    /// A whole answer: length, header (version 1 where flexible), body.
    static func answer(_ correlation: Int32, _ body: [UInt8], isFlexible: Bool = false) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(bigEndian: Int32(clamping: body.count + (isFlexible ? 5 : 4)))
        bytes.append(bigEndian: correlation)
        if isFlexible { bytes.append(0) }
        bytes.append(contentsOf: body)
        return bytes
    }

    /// Asks for a fresh catalogue and parks the client, once a request.
    ///
    /// - Parameter isLookUp: something is sought that any client can ask for (an id, a name, a port's broker): one refresh a
    ///   second serves all.
    /// - Returns: false where the refresh has been made (or has failed) and did not answer the question.
    mutating func awaitRefresh(
        _ governor: borrowing Governor, _ output: inout WireOutput, isLookUp: Bool = false
    ) -> Bool {
        guard refresh.isOpen(cluster, governor, isLookUp: isLookUp) else {
            catalogue = cluster.catalogue(newerThan: catalogue)
            return false
        }
        output.park(.client)
        return true
    }
}

/// One side's question to the catalogue, asked once a message.
struct Refresh {
    private var number: UInt64 = 0
    private(set) var isDone = false

    /// - Returns: true while the answer is awaited.
    mutating func isOpen(_ cluster: KafkaCluster, _ governor: borrowing Governor, isLookUp: Bool) -> Bool {
        if isDone { return false }
        if number == 0 {
            number =
                isLookUp
                ? cluster.lookUp(at: governor.now, waking: governor.waker) : cluster.refresh(waking: governor.waker)
        }
        isDone = cluster.isDone(number)
        return !isDone
    }
}
