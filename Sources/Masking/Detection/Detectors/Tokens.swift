extension DetectorSet {
    /// Looks at each token (letters, digits and `-._/+=`) that a bit of `places` lies in, once.
    func examineTokens(_ text: TextBytes, _ offset: Int, _ places: UInt64, _ pass: inout DetectionPass) {
        var left = places
        while left != 0 {
            let at = offset &+ left.trailingZeroBitCount
            if at < pass.tokenEnd {
                let done = pass.tokenEnd &- offset
                if done >= 64 { return }
                left &= ~0 << UInt64(done)
                continue
            }
            var start = at
            while start > pass.tokenEnd, text[start &- 1].isTokenByte { start &-= 1 }
            if pass.isAssuming, start > 0, text[start &- 1] == UInt8(ascii: "\\") {
                pass.hasHit = true
                return
            }
            examineToken(text, start, &pass)
            if pass.hasHit { return }
        }
    }

    private func examineToken(_ text: TextBytes, _ start: Int, _ pass: inout DetectionPass) {
        var at = start
        var isStart = true
        var digits = 0
        var letters = 0
        // Each place where a word begins may begin a key; the last one that began a value is kept.
        while true {
            let byte = text[at]
            if byte.isAlphanumeric {
                if isStart, let end = keyEnd(text, at, &pass) {
                    if pass.hasHit { return }
                    at = end
                    isStart = false
                    continue
                }
                isStart = false
                if byte.isDigit { digits &+= 1 } else { letters &+= 1 }
            } else if byte.isTokenByte {
                isStart = true
            } else {
                break
            }
            at &+= 1
        }
        pass.tokenEnd = max(at, start &+ 1)
        var end = at
        while end > start, text[end &- 1] == UInt8(ascii: ".") { end &-= 1 }
        if enabled.has(.mac), digits > 0 {
            var value = end
            while value > start, text[value &- 1] != UInt8(ascii: "="), end &- value < 18 { value &-= 1 }
            if end &- value == 17 || end &- value == 14 { examineHardwareAddress(text, value, end, &pass) }
        }
        if enabled.has(.secret), digits > 0, letters > 0, end &- start != 36 || !text.isInUUID(start, end) {
            examineSecret(text, start, end, &pass)
        }
    }

    /// Adds the key that begins at `start`, if one does.
    ///
    /// - Returns: the offset behind it.
    @inline(__always)
    private func keyEnd(_ text: TextBytes, _ start: Int, _ pass: inout DetectionPass) -> Int? {
        switch text[start] {
        case UInt8(ascii: "A"): enabled.has(.awsKey) ? awsKeyEnd(text, start, &pass) : nil
        case UInt8(ascii: "e"): enabled.has(.jwt) ? jwtEnd(text, start, &pass) : nil
        case UInt8(ascii: "g"): enabled.has(.githubToken) ? githubEnd(text, start, &pass) : nil
        case UInt8(ascii: "x"): enabled.has(.slackToken) ? slackEnd(text, start, &pass) : nil
        case UInt8(ascii: "s"), UInt8(ascii: "r"), UInt8(ascii: "w"):
            enabled.has(.stripeKey) ? stripeEnd(text, start, &pass) : nil
        case UInt8(ascii: "1"), UInt8(ascii: "3"), UInt8(ascii: "b"), UInt8(ascii: "B"), UInt8(ascii: "t"):
            enabled.has(.bitcoin) ? bitcoinEnd(text, start, &pass) : nil
        default: nil
        }
    }

    /// An access key's identifier: its kind and 16 characters of base32 (AWS, IAM identifiers).
    private func awsKeyEnd(_ text: TextBytes, _ start: Int, _ pass: inout DetectionPass) -> Int? {
        guard
            text.begins("AKIA", at: start) || text.begins("ASIA", at: start) || text.begins("ABIA", at: start)
                || text.begins("ACCA", at: start) || text.begins("AROA", at: start) || text.begins("AIDA", at: start)
        else { return nil }
        var at = start &+ 4
        while text[at].isCapital || text[at].isDigit { at &+= 1 }
        guard at &- start == 20, !text.isAlphanumeric(at) else { return nil }
        pass.add(.awsKey, start, at, 95)
        return at
    }

    /// Three parts in base64url, the first two being JSON objects (RFC 7519, RFC 7515); the last is empty where nothing
    /// is signed.
    private func jwtEnd(_ text: TextBytes, _ start: Int, _ pass: inout DetectionPass) -> Int? {
        guard start >= pass.noTokenUntil, text.begins("eyJ", at: start) else { return nil }
        var at = part(text, start)
        // Whatever begins inside of this part ends with it: it is read once, and so is what follows.
        pass.noTokenUntil = at
        guard at &- start >= 10, text[at] == UInt8(ascii: ".") else { return nil }
        let second = at &+ 1
        // Encrypted ones (RFC 7516) have five parts, of which only the first is readable.
        at = part(text, second)
        guard text[at] == UInt8(ascii: "."), at &- second >= 2 || text[at &+ 1].isTokenByte else { return nil }
        let isSigned = text.begins("eyJ", at: second) || text.begins("e30", at: second)
        var dots = 2
        at = part(text, at &+ 1)
        while dots < 4, text[at] == UInt8(ascii: "."),
            text[at &+ 1].isAlphanumeric || text[at &+ 1] == UInt8(ascii: "_")
        {
            at = part(text, at &+ 1)
            dots &+= 1
        }
        guard isSigned || dots == 4 else { return nil }
        pass.add(.jwt, start, at, 95)
        return at
    }

    /// Behind a part in base64url.
    private func part(_ text: TextBytes, _ start: Int) -> Int {
        var at = start
        while text[at].isAlphanumeric || text[at] == UInt8(ascii: "-") || text[at] == UInt8(ascii: "_") { at &+= 1 }
        return at
    }

    /// `ghp_`, `gho_`, `ghu_`, `ghs_`, `ghr_` and 36 or more; `github_pat_` and 22 or more (GitHub, token formats).
    private func githubEnd(_ text: TextBytes, _ start: Int, _ pass: inout DetectionPass) -> Int? {
        var at = start
        if text.begins("github_pat_", at: start) {
            at &+= 11
            while text[at].isAlphanumeric || text[at] == UInt8(ascii: "_") { at &+= 1 }
            guard at &- start >= 33 else { return nil }
        } else {
            guard text[at &+ 1] == UInt8(ascii: "h"), text[at &+ 3] == UInt8(ascii: "_") else { return nil }
            switch text[at &+ 2] {
            case UInt8(ascii: "p"), UInt8(ascii: "o"), UInt8(ascii: "u"), UInt8(ascii: "s"), UInt8(ascii: "r"): break
            default: return nil
            }
            at &+= 4
            while text[at].isAlphanumeric { at &+= 1 }
            guard at &- start >= 40 else { return nil }
        }
        pass.add(.githubToken, start, at, 95)
        return at
    }

    /// `xoxb-` and its kin, `xapp-`, and 10 or more (Slack, token types).
    private func slackEnd(_ text: TextBytes, _ start: Int, _ pass: inout DetectionPass) -> Int? {
        guard
            text[start &+ 4] == UInt8(ascii: "-") || text[start &+ 5] == UInt8(ascii: "-")
                || text[start &+ 4] == UInt8(ascii: "."),
            text.begins("xox", at: start) || text.begins("xapp-", at: start)
        else { return nil }
        var at = start &+ 4
        while text[at].isAlphanumeric || text[at] == UInt8(ascii: "-") || text[at] == UInt8(ascii: ".") { at &+= 1 }
        while text[at &- 1] == UInt8(ascii: "-") || text[at &- 1] == UInt8(ascii: ".") { at &-= 1 }
        guard at &- start >= 15 else { return nil }
        pass.add(.slackToken, start, at, 95)
        return at
    }

    /// Secret and restricted keys, and the secrets of webhooks (Stripe, API keys).
    private func stripeEnd(_ text: TextBytes, _ start: Int, _ pass: inout DetectionPass) -> Int? {
        var at: Int
        if text.begins("sk_live_", at: start) || text.begins("sk_test_", at: start)
            || text.begins("rk_live_", at: start)
            || text.begins("rk_test_", at: start)
        {
            at = start &+ 8
        } else if text.begins("whsec_", at: start) {
            at = start &+ 6
        } else {
            return nil
        }
        let key = at
        while text[at].isAlphanumeric { at &+= 1 }
        guard at &- key >= 16 else { return nil }
        pass.add(.stripeKey, start, at, 95)
        return at
    }

    /// Base58Check (26 to 35 characters) or Bech32 (BIP 173, BIP 350).
    private func bitcoinEnd(_ text: TextBytes, _ start: Int, _ pass: inout DetectionPass) -> Int? {
        var end = start
        while text.isAlphanumeric(end), end &- start <= 91 { end &+= 1 }
        let length = end &- start
        let first = text[start]
        let isBase58 = first.isDigit && length >= 26 && length <= 35
        let isBech32 =
            length >= 14 && length <= 90
            && (text.has("BC1", at: start) || text.has("TB1", at: start))
        guard isBase58 || isBech32 else { return nil }
        guard text.accepts(isBase58 ? .bitcoinBase58 : .bitcoinBech32, start, end) else { return nil }
        pass.add(.bitcoin, start, end, 97)
        return end
    }

    /// What looks random where a secret is announced: 16 or more bytes with letters and digits, up to a space or quote.
    private func examineSecret(_ text: TextBytes, _ start: Int, _ end: Int, _ pass: inout DetectionPass) {
        var start = start
        var end = end
        while isSecretByte(text[start &- 1]), end &- start < 256 { start &-= 1 }
        if pass.isAssuming, text[start &- 1] == UInt8(ascii: "\\") {
            // An escape's letter may be the first.
            pass.hasHit = true
            return
        }
        while isSecretByte(text[end]), end &- start < 512 { end &+= 1 }
        while end > start, text[end &- 1] == UInt8(ascii: ".") || text[end &- 1] == UInt8(ascii: ":") { end &-= 1 }
        // "password=..." and "password:...": a name, and its value.
        var at = start
        while text[at].isAlphanumeric || text[at] == UInt8(ascii: "_") || text[at] == UInt8(ascii: "-")
            || text[at] == UInt8(ascii: ".")
        {
            at &+= 1
        }
        var isAnnounced = false
        if at > start, at &+ 1 < end, at &- start <= 64, text[at] == UInt8(ascii: "=") || text[at] == UInt8(ascii: ":")
        {
            isAnnounced = text.meaning(start, at).contains(Context(.secret))
            let isName = isAnnounced || !looksRandom(text, start, at)
            if isName { start = at &+ 1 }
            if isName, !isAnnounced, !pass.isAssuming, !pass.name.contains(Context(.secret)) { return }
        }
        guard end &- start >= 16, end &- start <= 4096, looksRandom(text, start, end) else { return }
        if end &- start == 36, text.isInUUID(start, end) { return }
        isAnnounced = isAnnounced || pass.isAssuming || pass.name.contains(Context(.secret))
        if !isAnnounced, pass.name.isDisjoint(with: .against) || !pass.name.isDisjoint(with: .all) {
            isAnnounced = text.meaningAround(start, start, reach: 40, behind: false).contains(Context(.secret))
        }
        if isAnnounced { pass.add(.secret, start, end, pass.name.contains(Context(.secret)) ? 85 : 70) }
    }

    func isSecretByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "<"),
            UInt8(ascii: ">"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "\\"), UInt8(ascii: "`"),
            UInt8(ascii: "|"):
            false
        default: byte > 0x20 && byte < 0x7f
        }
    }

    /// Letters and digits change places often, or capitals and small letters do: words and dates do not.
    private func looksRandom(_ text: TextBytes, _ start: Int, _ end: Int) -> Bool {
        var seen: UInt64 = 0
        var changes = 0
        var kind = 0
        var digits = 0
        var letters = 0
        let limit = min(end, start &+ 64)
        for at in start..<limit {
            let byte = text[at]
            seen |= 1 << UInt64(byte & 63)
            let next = byte.isDigit ? 1 : byte.isCapital ? 2 : byte.isLetter ? 3 : kind
            if byte.isDigit { digits &+= 1 } else if byte.isLetter { letters &+= 1 }
            if next != kind { changes &+= 1 }
            kind = next
        }
        return digits >= 1 && letters >= 2 && seen.nonzeroBitCount >= 8 && changes &* 6 >= limit &- start
    }
}

extension TextBytes {
    /// What the checksum says of the bytes as they stand.
    func accepts(_ checksum: Checksum, _ start: Int, _ end: Int) -> Bool {
        guard start >= 0, end <= count, start < end else { return false }
        let raw = unsafe UnsafeRawBufferPointer(start: block(start), count: end &- start)
        return unsafe checksum.accepts(raw.bytes)
    }
}
