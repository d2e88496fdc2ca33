import TidegateCore

/// What a control page answers: made without a socket, so that the server only carries it.
public struct ControlAnswer: Sendable, Equatable {
    public var status: Int
    public var contentType: String
    public var body: [UInt8]
    /// Methods for the `Allow` header of a 405, else nil.
    public var allow: String?
    init(_ status: Int, _ contentType: String, _ body: [UInt8], allow: String? = nil) {
        self.status = status
        self.contentType = contentType
        self.body = body
        self.allow = allow
    }
}

/// The pages of the admin address that need no token: /healthz, /readyz, /metrics. They name no person and no resource.
public struct ControlPages: Sendable {
    private let readiness: ReadinessState
    private let metrics: any MetricsSource

    public init(readiness: ReadinessState, metrics: any MetricsSource) {
        self.readiness = readiness
        self.metrics = metrics
    }

    /// - Parameter path: without query.
    public func answer(method: String, path: String) -> ControlAnswer {
        switch path {
        case "/healthz", "/readyz", "/metrics":
            guard method == "GET" || method == "HEAD" else {
                return ControlPages.error(405, "this page is only read", allow: "GET, HEAD")
            }
            // To HEAD too: the server tells the length and leaves the body out.
            return page(path)
        default:
            // `/api/v1` has its own place here once there is something to ask.
            return ControlPages.error(404, "there is no such page")
        }
    }

    private func page(_ path: String) -> ControlAnswer {
        switch path {
        case "/metrics":
            return ControlAnswer(
                200, PrometheusText.contentType, Array(metrics.metrics().prometheusText.utf8))
        case "/readyz":
            let missing = readiness.missing
            var body: [UInt8] = [UInt8(ascii: "{")]
            JSONText.member("status", missing.isEmpty ? "ready" : "not ready", to: &body)
            if !missing.isEmpty { JSONText.member("missing", missing.map(\.rawValue), to: &body) }
            body.append(contentsOf: [UInt8(ascii: "}"), 10])
            return ControlAnswer(missing.isEmpty ? 200 : 503, "application/json", body)
        default:
            return ControlAnswer(200, "application/json", Array("{\"status\":\"alive\"}\n".utf8))
        }
    }

    static func error(_ status: Int, _ text: String, allow: String? = nil) -> ControlAnswer {
        var body: [UInt8] = [UInt8(ascii: "{")]
        JSONText.member("error", text, to: &body)
        body.append(contentsOf: [UInt8(ascii: "}"), 10])
        return ControlAnswer(status, "application/json", body, allow: allow)
    }
}
