import TidegateCore

/// The room in which replies are taken apart: borrowed for a call, so that idle connections hold none of it, and no reply
/// allocates once there is enough.
struct ReplyWorkspace: Sendable {
    var deliveries = ReplyDeliveries()
    var parts = ReplyParts()
    var edits = ReplyEdits()
    /// Of each field.
    var outcomes: [MaskOutcome] = []
    /// Of each run.
    var counters: [MaskCounters] = []
    var views: [RecordView] = []
    var headers: [HeaderView] = []

    /// What one large reply took is not kept for ever; nothing of what replies said is kept at all.
    mutating func rest() {
        if outcomes.capacity > 1 << 16 || views.capacity > 1 << 14 {
            self = ReplyWorkspace()
            return
        }
        deliveries.begin()
        parts.empty()
        edits.empty()
    }
}
