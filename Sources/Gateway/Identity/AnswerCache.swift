import TidegateCore

/// Answers about tokens, by the tokens' SHA-256, and who waits for one. Every call is a few steps, whatever peers send.
struct AnswerCache {
    /// Of each of two generations: a token that is in use outlives the change from one to the next.
    private static let verifiedLimit = 10_000
    /// Anybody can cause rejections: they take nothing from the verified.
    private static let rejectedLimit = 1000
    private static let rejectionSeconds: Int64 = 5

    private var young: [[UInt8]: Principal] = [:]
    private var old: [[UInt8]: Principal] = [:]
    private var rejected: [[UInt8]: (reason: String, until: Instant)] = [:]
    private var waiting: [[UInt8]: [Waker]] = [:]

    enum Reply {
        case known(Authentication)
        /// Answered later; the first one has it checked.
        case waits(isFirst: Bool)
    }

    /// - Parameters:
    ///   - now: wall-clock time, for what tokens say of themselves.
    ///   - steady: for what is kept.
    ///   - isVouchedFor: false where the key behind an answer is one no more: the token is checked anew.
    mutating func ask(
        _ digest: [UInt8], now: Instant, steady: Instant, _ waker: Waker, isVouchedFor: (Principal) -> Bool
    ) -> Reply {
        if let principal = young[digest] ?? old[digest] {
            guard isVouchedFor(principal) else {
                young[digest] = nil
                old[digest] = nil
                return wait(digest, waker)
            }
            guard principal.expires > now else {
                return .known(.rejected(reason: TokenRejection.expired.description))
            }
            if young[digest] == nil { keep(principal, digest) }
            return .known(.verified(principal))
        }
        if let (reason, until) = rejected[digest] {
            if until > steady { return .known(.rejected(reason: reason)) }
            rejected[digest] = nil
        }
        return wait(digest, waker)
    }

    private mutating func wait(_ digest: [UInt8], _ waker: Waker) -> Reply {
        if waiting[digest] == nil {
            guard waiting.count < TokenVerifier.waitingLimit else {
                return .known(.rejected(reason: "too many tokens are being checked"))
            }
            waiting[digest] = [waker]
            return .waits(isFirst: true)
        }
        waiting[digest, default: []].append(waker)
        return .waits(isFirst: false)
    }

    /// - Returns: who waited.
    mutating func finish(
        _ digest: [UInt8], _ result: Result<Principal, TokenRejection>, steady: Instant
    ) -> [Waker] {
        switch result {
        case .success(let principal): keep(principal, digest)
        case .failure(let rejection):
            if rejected.count >= AnswerCache.rejectedLimit { rejected.removeAll(keepingCapacity: true) }
            // No verdict on the token: only for as long as those who wait take to ask again.
            let seconds = rejection == .tooMany ? 1 : AnswerCache.rejectionSeconds
            rejected[digest] = (rejection.description, steady.advanced(bySeconds: seconds))
        }
        return waiting.removeValue(forKey: digest) ?? []
    }

    private mutating func keep(_ principal: Principal, _ digest: [UInt8]) {
        if young.count >= AnswerCache.verifiedLimit {
            old = young
            young = [:]
        }
        young[digest] = principal
    }
}
