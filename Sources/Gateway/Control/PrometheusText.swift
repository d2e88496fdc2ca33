import TidegateCore

/// The text exposition format of Prometheus, version 0.0.4: families in order, each with HELP and TYPE, labels escaped.
struct PrometheusText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"
    enum Kind: String { case counter, gauge, histogram }

    private(set) var text = ""

    mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    typealias Labels = KeyValuePairs<String, String>

    mutating func sample(_ name: String, _ labels: Labels, _ value: some BinaryInteger) {
        line(name, labels, "\(value)")
    }
    mutating func sample(_ name: String, _ value: some BinaryInteger) { line(name, [:], "\(value)") }
    mutating func sample(_ name: String, _ labels: Labels, _ value: Double) {
        line(name, labels, PrometheusText.number(value))
    }
    mutating func sample(_ name: String, _ value: Double) { line(name, [:], PrometheusText.number(value)) }

    mutating func histogram(_ name: String, route: String, _ histogram: Meter.Histogram) {
        var total: UInt64 = 0
        for (index, count) in histogram.counts.enumerated() {
            total &+= count
            let bounds = Meter.Histogram.bounds
            let bound = index < bounds.count ? PrometheusText.number(bounds[index]) : "+Inf"
            sample("\(name)_bucket", ["route": route, "le": bound], total)
        }
        sample("\(name)_sum", ["route": route], histogram.sum)
        sample("\(name)_count", ["route": route], total)
    }

    private mutating func line(_ name: String, _ labels: KeyValuePairs<String, String>, _ value: String) {
        text += name
        if !labels.isEmpty {
            text += "{"
            text += labels.map { "\($0.key)=\"\(PrometheusText.escaped($0.value))\"" }.joined(separator: ",")
            text += "}"
        }
        text += " \(value)\n"
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        return "\(value)"
    }

    static func escaped(_ value: String) -> String {
        var escaped = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}

extension GatewayMetrics {
    /// The page that /metrics answers with.
    public var prometheusText: String {
        var page = PrometheusText()
        writeSessions(&page)
        writeRecords(&page)
        writeMasks(&page)
        writeTimes(&page)
        writeReloads(&page)
        writeEvidence(&page)
        writeProcess(&page)
        return page.text
    }

    private func each(
        _ page: inout PrometheusText, _ name: String, _ kind: PrometheusText.Kind, _ help: String,
        _ value: (Meter.Counts) -> some BinaryInteger
    ) {
        page.family(name, kind, help)
        for route in routes { page.sample(name, ["route": route.route], value(route.counts)) }
    }

    private func writeSessions(_ page: inout PrometheusText) {
        each(&page, "tidegate_sessions_active", .gauge, "Sessions with a verified principal.") { $0.sessionsActive }
        each(&page, "tidegate_sessions_total", .counter, "Sessions started.") { $0.sessionsStarted }
        each(&page, "tidegate_sessions_rejected_total", .counter, "Sessions rejected.") { $0.sessionsRejected }
        page.family("tidegate_sessions_ended_total", .counter, "Connections ended, by reason.")
        for route in routes {
            for (reason, count) in route.counts.sessionsEnded.sorted(by: { $0.key < $1.key }) {
                page.sample("tidegate_sessions_ended_total", ["route": route.route, "reason": reason], count)
            }
        }
        page.family("tidegate_operations_total", .counter, "Operations decided.")
        for route in routes {
            for action in Action.allCases {
                for (offset, decision) in ["allowed", "denied", "held"].enumerated() {
                    page.sample(
                        "tidegate_operations_total",
                        [
                            "route": route.route, "protocol": route.protocolName, "action": action.name,
                            "decision": decision,
                        ], route.counts.operations[Int(action.rawValue) * 3 + offset])
                }
            }
        }
    }

    private func writeRecords(_ page: inout PrometheusText) {
        each(&page, "tidegate_records_delivered_total", .counter, "Records handed to clients.") { $0.recordsDelivered }
        each(&page, "tidegate_records_produced_total", .counter, "Records handed to backends.") { $0.recordsProduced }
        each(&page, "tidegate_records_withheld_total", .counter, "Records kept back.") { $0.recordsWithheld }
        each(&page, "tidegate_masked_fields_total", .counter, "Fields masked.") { $0.maskedFields }
        each(&page, "tidegate_mask_failures_total", .counter, "Values that could not be masked.") { $0.maskFailures }
        each(&page, "tidegate_dry_run_fields_total", .counter, "Fields that dry runs would have masked.") {
            $0.fieldsInDryRun
        }
        each(&page, "tidegate_opened_fields_total", .counter, "Tokens opened for whom a rule unmasks.") {
            $0.openedFields
        }
        each(&page, "tidegate_faults_total", .counter, "Faults of the gateway itself; any is a bug.") { $0.faults }
        page.family("tidegate_bytes_total", .counter, "Bytes received from and sent to each side.")
        for route in routes {
            let counts = route.counts
            for (side, direction, count) in [
                ("client", "received", counts.bytesFromClient), ("client", "sent", counts.bytesToClient),
                ("backend", "received", counts.bytesFromBackend), ("backend", "sent", counts.bytesToBackend),
            ] {
                page.sample(
                    "tidegate_bytes_total", ["route": route.route, "side": side, "direction": direction], count)
            }
        }
    }

    private func writeMasks(_ page: inout PrometheusText) {
        page.family("tidegate_mask_rule_total", .counter, "Values that a rule of a masking profile acted on.")
        for mask in masks where !mask.isDetector {
            page.sample("tidegate_mask_rule_total", ["profile": mask.profile, "rule": mask.label], mask.count)
        }
        page.family("tidegate_mask_detector_total", .counter, "Values that a detector found and a rule acted on.")
        for mask in masks where mask.isDetector {
            page.sample("tidegate_mask_detector_total", ["profile": mask.profile, "detector": mask.label], mask.count)
        }
    }

    private func writeTimes(_ page: inout PrometheusText) {
        page.family("tidegate_decision_seconds", .histogram, "Time a decision took.")
        for route in routes {
            page.histogram("tidegate_decision_seconds", route: route.route, route.counts.decisions)
        }
        page.family("tidegate_relay_seconds", .histogram, "Time bytes spent in the gateway.")
        for route in routes { page.histogram("tidegate_relay_seconds", route: route.route, route.counts.relays) }
    }

    private func writeReloads(_ page: inout PrometheusText) {
        page.family("tidegate_config_reloads_total", .counter, "Reloads of the configuration.")
        page.sample("tidegate_config_reloads_total", ["result": "accepted"], reloads.accepted)
        page.sample("tidegate_config_reloads_total", ["result": "rejected"], reloads.rejected)
        page.family("tidegate_config_last_reload_successful", .gauge, "Whether the last reload was accepted.")
        page.sample("tidegate_config_last_reload_successful", reloads.isLastSuccessful ? 1 : 0)
        let time = "tidegate_config_last_reload_success_timestamp_seconds"
        page.family(time, .gauge, "When a configuration was last accepted.")
        page.sample(time, Double(reloads.lastSuccess.nanoseconds) / 1e9)
    }

    private func writeEvidence(_ page: inout PrometheusText) {
        page.family("tidegate_evidence_writable", .gauge, "Whether evidence can be stored.")
        page.sample("tidegate_evidence_writable", evidence.isWritable ? 1 : 0)
        for (name, help, value) in [
            ("tidegate_evidence_lines_total", "Lines stored.", evidence.lines),
            ("tidegate_evidence_bytes_total", "Bytes stored.", evidence.bytes),
            ("tidegate_evidence_commits_total", "Commits.", evidence.commits),
            ("tidegate_evidence_failures_total", "Commits that failed.", evidence.failures),
            ("tidegate_evidence_lines_lost_total", "Lines given up.", evidence.linesLost),
        ] {
            page.family(name, .counter, help)
            page.sample(name, value)
        }
        page.family("tidegate_evidence_last_commit_seconds", .gauge, "Time the last commit took.")
        page.sample("tidegate_evidence_last_commit_seconds", evidence.lastCommitSeconds)
        page.family("tidegate_evidence_oldest_waiting_seconds", .gauge, "Age of the oldest line not stored yet.")
        page.sample("tidegate_evidence_oldest_waiting_seconds", evidence.oldestWaitingSeconds)
        page.family("tidegate_evidence_free_bytes", .gauge, "Bytes free on the disk of the evidence.")
        page.sample("tidegate_evidence_free_bytes", evidence.freeBytes)
    }

    private func writeProcess(_ page: inout PrometheusText) {
        page.family("process_resident_memory_bytes", .gauge, "Resident memory size in bytes.")
        page.sample("process_resident_memory_bytes", process.residentBytes)
        page.family("process_cpu_seconds_total", .counter, "Total user and system CPU time spent in seconds.")
        page.sample("process_cpu_seconds_total", process.cpuSeconds)
        page.family("process_start_time_seconds", .gauge, "Start time of the process since unix epoch in seconds.")
        page.sample("process_start_time_seconds", process.startTime)
        page.family("process_open_fds", .gauge, "Number of open file descriptors.")
        page.sample("process_open_fds", process.openDescriptors)
        page.family("tidegate_build_info", .gauge, "Version and driver of this process; always 1.")
        page.sample("tidegate_build_info", ["version": version, "driver": driver], 1)
    }
}
