import Foundation
import Testing
import TidegateControl
import TidegateCore

struct FixedMetrics: MetricsSource {
    var routes = [
        GatewayMetrics.RouteCounts(route: "orders", protocolName: "kafka", counts: FixedMetrics.counts),
        GatewayMetrics.RouteCounts(route: "odd \"name\"\\\n", protocolName: "kafka", counts: Meter.Counts()),
    ]

    static let masks = [
        GatewayMetrics.MaskCount(profile: "pii", label: "**.email", isDetector: false, count: 5),
        GatewayMetrics.MaskCount(profile: "pii", label: "odd \"rule\"\\\n", isDetector: false, count: 6),
        GatewayMetrics.MaskCount(profile: "pii", label: "credit-card", isDetector: true, count: 7),
    ]

    static var counts: Meter.Counts {
        var counts = Meter.Counts()
        counts.sessionsActive = 3
        counts.recordsDelivered = 12345
        counts.bytesToClient = 99
        (counts.fieldsInDryRun, counts.openedFields) = (11, 12)
        counts.operations[Int(Action.consume.rawValue) * 3 + 1] = 7
        counts.sessionsEnded = ["idle": 2, "ended": 4]
        for nanoseconds in [500, 2000, 2_000_000_000] as [Int64] { counts.decisions.observe(nanoseconds: nanoseconds) }
        return counts
    }

    func metrics() -> GatewayMetrics {
        GatewayMetrics(
            routes: routes, masks: FixedMetrics.masks, reloads: .init(), evidence: .init(), version: "0.1.0",
            driver: "epoll")
    }
}

struct ControlPagesTests {
    let readiness = ReadinessState()
    var pages: ControlPages { ControlPages(readiness: readiness, metrics: FixedMetrics()) }

    private func body(_ answer: ControlAnswer) -> String { String(decoding: answer.body, as: UTF8.self) }

    @Test func `the process lives`() {
        let answer = pages.answer(method: "GET", path: "/healthz")
        #expect(answer.status == 200 && body(answer) == "{\"status\":\"alive\"}\n")
    }

    @Test func `it is ready when every condition holds, and says which does not`() {
        let first = pages.answer(method: "GET", path: "/readyz")
        #expect(first.status == 503)
        #expect(
            body(first)
                == #"{"status":"not ready","missing":["configuration loaded","listeners bound","evidence writable"]}"#
                + "\n")
        for condition in ReadinessState.Condition.allCases { readiness.set(condition, true) }
        let ready = pages.answer(method: "GET", path: "/readyz")
        #expect(ready.status == 200 && readiness.isReady)
        readiness.set(.evidenceWritable, false)
        #expect(pages.answer(method: "GET", path: "/readyz").status == 503)
    }

    @Test func `other pages and other methods are refused in JSON`() {
        let missing = pages.answer(method: "GET", path: "/api/v1/sessions")
        #expect(missing.status == 404 && body(missing) == "{\"error\":\"there is no such page\"}\n")
        let post = pages.answer(method: "POST", path: "/metrics")
        #expect(post.status == 405 && post.allow == "GET, HEAD")
        let head = pages.answer(method: "HEAD", path: "/healthz")
        #expect(head == pages.answer(method: "GET", path: "/healthz"))
    }

    @Test func `figures stand under their names and labels`() {
        let text = body(pages.answer(method: "GET", path: "/metrics"))
        for line in [
            #"tidegate_sessions_active{route="orders"} 3"#,
            #"tidegate_records_delivered_total{route="orders"} 12345"#,
            #"tidegate_records_delivered_total{route="odd \"name\"\\\n"} 0"#,
            #"tidegate_operations_total{route="orders",protocol="kafka",action="consume",decision="denied"} 7"#,
            #"tidegate_bytes_total{route="orders",side="client",direction="sent"} 99"#,
            #"tidegate_sessions_ended_total{route="orders",reason="idle"} 2"#,
            #"tidegate_decision_seconds_bucket{route="orders",le="1e-06"} 1"#,
            #"tidegate_decision_seconds_bucket{route="orders",le="3e-06"} 2"#,
            #"tidegate_decision_seconds_bucket{route="orders",le="1.0"} 2"#,
            #"tidegate_decision_seconds_bucket{route="orders",le="+Inf"} 3"#,
            #"tidegate_decision_seconds_count{route="orders"} 3"#,
            #"tidegate_dry_run_fields_total{route="orders"} 11"#,
            #"tidegate_opened_fields_total{route="orders"} 12"#,
            #"tidegate_mask_rule_total{profile="pii",rule="**.email"} 5"#,
            #"tidegate_mask_rule_total{profile="pii",rule="odd \"rule\"\\\n"} 6"#,
            #"tidegate_mask_detector_total{profile="pii",detector="credit-card"} 7"#,
            #"tidegate_build_info{version="0.1.0",driver="epoll"} 1"#,
        ] {
            #expect(text.contains("\n\(line)\n"), "\(line)")
        }
    }

    /// Name, kind and labels of each family: `tidegate_bytes_total counter direction,route,side`.
    private func families(_ page: String) -> Set<String> {
        var found: Set<String> = []
        let lines = page.split(separator: "\n")
        for line in lines where line.hasPrefix("# TYPE ") {
            let words = line.split(separator: " ")
            let names = ["", "_bucket"].map { String(words[2]) + $0 }
            let sample = lines.first { line in names.contains { line.hasPrefix($0 + "{") } }
            let labels = (sample?.matches(of: /[{,]([a-z]+)="/) ?? []).map { String($0.output.1) }
            found.insert("\(words[2]) \(words[3]) \(labels.sorted().joined(separator: ","))")
        }
        return found
    }

    @Test func `the page and its documentation name the same figures, kinds and labels`() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../..")
        let text = try String(contentsOf: root.appendingPathComponent("docs/metrics.md"), encoding: .utf8)
        var documented: Set<String> = []
        for line in text.split(separator: "\n") where line.hasPrefix("| `") {
            let cells = line.split(separator: "|", omittingEmptySubsequences: false).map {
                $0.replacing("`", with: "").replacing(" ", with: "")
            }
            documented.insert(
                "\(cells[1]) \(cells[2]) \(cells[3].split(separator: ",").sorted().joined(separator: ","))")
        }
        let page = families(body(pages.answer(method: "GET", path: "/metrics")))
        #expect(page == documented, "\(page.symmetricDifference(documented).sorted())")
    }

    @Test func `figures of the process are real`() {
        let figures = ProcessFigures.current()
        let now = Date().timeIntervalSince1970
        #expect(figures.residentBytes > 1 << 20 && figures.openDescriptors >= 3)
        #expect(figures.startTime > now - 3600 && figures.startTime < now + 2)
    }

    static let hasPromtool = FileManager.default.isExecutableFile(atPath: "/usr/bin/promtool")

    @Test(.enabled(if: hasPromtool, "SKIPPED: promtool is missing (apt-get install prometheus)"))
    func `Prometheus accepts the page`() throws {
        let promtool = Process()
        let input = Pipe()
        let output = Pipe()
        promtool.executableURL = URL(fileURLWithPath: "/usr/bin/promtool")
        promtool.arguments = ["check", "metrics"]
        promtool.standardInput = input
        promtool.standardOutput = output
        promtool.standardError = output
        try promtool.run()
        try input.fileHandleForWriting.write(contentsOf: Data(pages.answer(method: "GET", path: "/metrics").body))
        try input.fileHandleForWriting.close()
        let said = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        promtool.waitUntilExit()
        #expect(promtool.terminationStatus == 0, "\(said)")
        #expect(said == "")
    }
}
