import TidegateWire

/// Groups of a run that may be one number together.
struct NumberWindow {
    /// Its first group, its last one, and its characters in the run.
    var group: Int
    var last: Int
    var first: Int
    var length = 0
    /// Where it stands in the text.
    var start: Int
    var end: Int
    /// The groups' lengths, four bits each, 15 for longer ones: 0x324 is 3, 2 and 4.
    var shape: UInt64 = 0
    var isOnes = true
    /// All marks are single ones and the same; 0 where there is none, 255 where they differ.
    var mark: UInt8 = 0
    var hasBracket = false
    /// The longest row of marks.
    var marks: UInt8 = 0

    /// Digits without any mark among them.
    @inline(__always) var isBare: Bool { group == last }
    @inline(__always) func has(_ mark: UInt8) -> Bool { self.mark == mark }

    @inline(__always)
    init(_ run: borrowing CharacterRun, _ group: Int) {
        self.group = group
        last = group
        first = run.first(group)
        start = run.group(group).start
        end = start
    }

    /// Takes the group `last` in.
    @inline(__always)
    mutating func extend(_ run: borrowing CharacterRun, to last: Int) {
        let next = run.group(last)
        let before = length
        self.last = last
        length = Int(next.limit) &- first
        end = next.end
        let size = length &- before
        shape = shape &<< 4 | UInt64(min(size, 15))
        if size != 1 { isOnes = false }
        if last > group {
            hasBracket = hasBracket || next.hasBracket
            marks = max(marks, next.marks)
            if next.marks > 1 {
                mark = 255
            } else if last == group &+ 1 {
                mark = next.mark
            } else if mark != next.mark {
                mark = 255
            }
        }
    }
}

extension DetectionPass {
    @inline(__always)
    func accepts(_ checksum: Checksum, _ window: NumberWindow) -> Bool {
        run.accepts(checksum, window.first, window.length)
    }
}

extension TextBytes {
    /// True where a mark other than a space or bracket ties the window to a digit or letter: it is a part of something longer.
    @inline(__always)
    func isTied(_ window: NumberWindow) -> Bool { isTiedLeft(window) || isTiedRight(window) }

    @inline(__always)
    private func isTie(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "-") < 3 || byte == UInt8(ascii: "_") }

    @inline(__always)
    func isTiedLeft(_ window: NumberWindow) -> Bool {
        isTie(self[window.start &- 1]) && isAlphanumeric(window.start &- 2)
    }

    @inline(__always)
    func isTiedRight(_ window: NumberWindow) -> Bool {
        isTie(self[window.end]) && isAlphanumeric(window.end &+ 1)
    }

    /// True where the same mark as inside goes on to a digit on either side.
    @inline(__always)
    func goesOn(_ window: NumberWindow) -> Bool {
        let before = self[window.start &- 1]
        let behind = self[window.end]
        return (before != UInt8(ascii: " ") && before.isMark && isDigit(window.start &- 2))
            || (behind != UInt8(ascii: " ") && behind.isMark && isDigit(window.end &+ 1))
    }

    /// True where a point and a digit stand at either end of bare digits: a decimal number.
    @inline(__always)
    func isDecimal(_ window: NumberWindow) -> Bool {
        (self[window.start &- 1] == UInt8(ascii: ".") && isDigit(window.start &- 2))
            || (self[window.end] == UInt8(ascii: ".") && isDigit(window.end &+ 1))
    }

    /// True where the window lies in a UUID (RFC 9562): 8-4-4-4-12 hexadecimal digits.
    func isInUUID(_ start: Int, _ end: Int) -> Bool {
        var low = start
        while start &- low < 37, self[low &- 1].isHex || self[low &- 1] == UInt8(ascii: "-") { low &-= 1 }
        var high = end
        while high &- low < 37, self[high].isHex || self[high] == UInt8(ascii: "-") { high &+= 1 }
        guard high &- low == 36 else { return false }
        for place in [8, 13, 18, 23] where self[low &+ place] != UInt8(ascii: "-") { return false }
        return true
    }

    func hasSmallLetter(_ start: Int, _ end: Int) -> Bool {
        var at = start
        while at < end {
            if self[at].isLetter, !self[at].isCapital { return true }
            at &+= 1
        }
        return false
    }
}

extension DetectorSet {
    /// Asks all detectors about the numbers that begin with `group`.
    ///
    /// - Returns: the group to go on with.
    func examineStart(_ text: TextBytes, _ group: Int, _ pass: inout DetectionPass) -> Int {
        var window = NumberWindow(pass.run, group)
        let findings = pass.findings.count
        var next = group &+ 1
        for last in group..<pass.run.groupCount {
            window.extend(pass.run, to: last)
            if window.length > 34 || (last > group && pass.run.group(last).isExtension) { break }
            if window.length >= 7 {
                let before = pass.findings.count
                if pass.run.lettersIn(window.first, window.length) == 0 {
                    examineDigits(text, window, &pass)
                } else {
                    examineLettered(text, window, &pass)
                }
                if pass.hasHit { return next }
                if pass.findings.count > before, pass.findings[pass.findings.count &- 1].confidence >= 80 {
                    next = last &+ 1
                }
            }
        }
        if pass.run.group(group).hasDigit {
            if enabled.has(.phone), next == group &+ 1 { examinePhone(text, group, &pass) }
            if enabled.has(.ipv4) { examineIPv4(text, group, &pass) }
            if enabled.has(.dateOfBirth) { examineDate(text, group, &pass) }
            if pass.findings.count > findings { next = max(next, group &+ 1) }
        }
        return next
    }

    /// What a window of digits alone may be.
    private func examineDigits(_ text: TextBytes, _ window: NumberWindow, _ pass: inout DetectionPass) {
        if window.isBare, text.isDecimal(window) { return }
        switch window.length {
        case 9: examineNine(text, window, &pass)
        case 10: examineTen(text, window, &pass)
        case 11: examineEleven(text, window, &pass)
        case 12:
            if enabled.has(.indiaAadhaar), window.isBare || window.shape == 0x444 || window.isOnes,
                pass.accepts(.indiaAadhaar, window)
            {
                add(.indiaAadhaar, text, window, &pass, free: window.shape == 0x444 && !text.goesOn(window) ? 80 : 0)
            }
            examineCard(text, window, &pass)
        case 13, 16, 17, 19: examineCard(text, window, &pass)
        case 14:
            if enabled.has(.brazilCompany), window.isBare || window.shape == 0x23342 || window.isOnes,
                pass.accepts(.brazilCompany, window)
            {
                let first = window.first &+ 8
                let isHeadOffice =
                    pass.run.digit(first) == 0 && pass.run.digit(first &+ 1) == 0 && pass.run.digit(first &+ 2) == 0
                    && pass.run.digit(first &+ 3) == 1
                let free = window.shape == 0x23342 ? 95 : window.isBare && isHeadOffice ? 70 : 0
                add(.brazilCompany, text, window, &pass, free: free)
            }
            examineCard(text, window, &pass)
        case 15:
            examineRegistration(text, window, &pass)
            examineCard(text, window, &pass)
        case 18:
            examineResident(text, window, &pass)
            examineCard(text, window, &pass)
        default: break
        }
    }

    private func examineNine(_ text: TextBytes, _ window: NumberWindow, _ pass: inout DetectionPass) {
        let isAlone = !text.goesOn(window)
        if window.isBare || window.shape == 0x324 || window.isOnes {
            let isSure = window.shape == 0x324 && window.mark != 255 && isAlone
            let free = isSure ? (window.has(UInt8(ascii: "-")) ? 85 : 70) : 0
            if enabled.has(.usSocialSecurity), pass.accepts(.usSocialSecurity, window) {
                add(.usSocialSecurity, text, window, &pass, free: free)
            }
            if enabled.has(.usTaxpayer), pass.accepts(.usTaxpayer, window) {
                add(.usTaxpayer, text, window, &pass, free: free)
            }
        }
        if window.isBare || window.shape == 0x333 || window.isOnes {
            if enabled.has(.canadaSocialInsurance), pass.accepts(.canadaSocialInsurance, window) {
                let free: Int
                switch window.mark {
                case UInt8(ascii: "-") where isAlone: free = 75
                case UInt8(ascii: " ") where isAlone: free = 60
                default: free = 0
                }
                add(.canadaSocialInsurance, text, window, &pass, free: window.isOnes ? 0 : free)
            }
        }
        if enabled.has(.netherlandsCitizen),
            window.isBare || window.shape == 0x333 || window.shape == 0x423 || window.isOnes,
            pass.accepts(.netherlandsCitizen, window)
        {
            add(.netherlandsCitizen, text, window, &pass, free: 0)
        }
        if enabled.has(.usRoutingNumber), window.isBare || window.shape == 0x441 || window.isOnes,
            pass.accepts(.usRoutingNumber, window)
        {
            add(.usRoutingNumber, text, window, &pass, free: 0)
        }
    }

    private func examineTen(_ text: TextBytes, _ window: NumberWindow, _ pass: inout DetectionPass) {
        if enabled.has(.usProviderIdentifier), window.isBare || window.isOnes,
            pass.accepts(.usProviderIdentifier, window)
        {
            add(.usProviderIdentifier, text, window, &pass, free: 0)
        }
        if enabled.has(.ukHealthService), window.isBare || window.shape == 0x334 || window.isOnes,
            pass.accepts(.ukHealthService, window)
        {
            // In three groups it may as well be a telephone number of North America, unless none can begin like that.
            let isNoPhone = pass.run.digit(window.first) < 2 || pass.run.digit(window.first &+ 3) < 2
            let free = window.shape == 0x334 && isNoPhone && window.mark != 255 && !text.goesOn(window) ? 65 : 0
            add(.ukHealthService, text, window, &pass, free: free)
        }
    }

    private func examineEleven(_ text: TextBytes, _ window: NumberWindow, _ pass: inout DetectionPass) {
        let free = window.isBare && !text.isTied(window) ? 60 : 0
        if enabled.has(.polandPesel), window.isBare || window.isOnes, pass.accepts(.polandPesel, window) {
            add(.polandPesel, text, window, &pass, free: free)
        }
        if enabled.has(.brazilPerson), window.isBare || window.shape == 0x3332 || window.isOnes,
            pass.accepts(.brazilPerson, window)
        {
            add(.brazilPerson, text, window, &pass, free: window.shape == 0x3332 && !text.goesOn(window) ? 90 : free)
        }
        if enabled.has(.germanyTax), window.isBare || window.shape == 0x2333 || window.isOnes,
            pass.accepts(.germanyTax, window)
        {
            add(.germanyTax, text, window, &pass, free: window.shape == 0x2333 && !text.goesOn(window) ? 75 : free)
        }
    }

    private func examineRegistration(_ text: TextBytes, _ window: NumberWindow, _ pass: inout DetectionPass) {
        guard enabled.has(.franceRegistration) else { return }
        switch window.shape {
        case 15, 0x122_2332, 0xd2: break
        default: guard window.isOnes else { return }
        }
        guard pass.accepts(.franceRegistration, window) else { return }
        add(.franceRegistration, text, window, &pass, free: text.goesOn(window) ? 0 : 90)
    }

    private func examineResident(_ text: TextBytes, _ window: NumberWindow, _ pass: inout DetectionPass) {
        guard enabled.has(.chinaResident), window.isBare || window.shape == 0x684 || window.isOnes,
            pass.accepts(.chinaResident, window)
        else { return }
        add(.chinaResident, text, window, &pass, free: 95)
    }

    /// What a window with letters may be.
    private func examineLettered(_ text: TextBytes, _ window: NumberWindow, _ pass: inout DetectionPass) {
        if window.hasBracket || window.marks > 1 || window.has(UInt8(ascii: "/")) { return }
        let letters = pass.run.lettersIn(window.first, window.length)
        if letters & 0b1111 == 0b0011, window.length >= 15, enabled.has(.iban), pass.accepts(.iban, window) {
            add(.iban, text, window, &pass, free: 95)
        }
        switch window.length {
        case 9: examineLetteredNine(text, window, letters, &pass)
        case 10:
            if letters == 0b10_0001_1111, window.isBare, enabled.has(.indiaAccount), pass.accepts(.indiaAccount, window)
            {
                add(.indiaAccount, text, window, &pass, free: freeInCapitals(85, text, window))
            }
        case 11:
            if enabled.has(.usMedicareIdentifier), window.isBare || window.shape == 0x434,
                pass.accepts(.usMedicareIdentifier, window)
            {
                add(.usMedicareIdentifier, text, window, &pass, free: freeInCapitals(80, text, window))
            }
        case 14:
            if enabled.has(.brazilCompany), window.isBare || window.shape == 0x23342,
                pass.accepts(.brazilCompany, window)
            {
                add(.brazilCompany, text, window, &pass, free: window.isBare ? 0 : 85)
            }
        case 15: if letters == 1 << 6 { examineRegistration(text, window, &pass) }
        case 16:
            if letters & 0b11_1111 == 0b11_1111, window.isBare, enabled.has(.italyFiscalCode),
                pass.accepts(.italyFiscalCode, window)
            {
                add(.italyFiscalCode, text, window, &pass, free: 95)
            }
        case 18: if letters == 1 << 17 { examineResident(text, window, &pass) }
        default: break
        }
    }

    private func examineLetteredNine(
        _ text: TextBytes, _ window: NumberWindow, _ letters: UInt64, _ pass: inout DetectionPass
    ) {
        switch letters {
        case 0b1_0000_0011:
            if enabled.has(.ukNationalInsurance), pass.accepts(.ukNationalInsurance, window) {
                add(.ukNationalInsurance, text, window, &pass, free: freeInCapitals(85, text, window))
            }
        case 0b11:
            if enabled.has(.usDrugRegistration), window.isBare || window.shape == 0x27,
                pass.accepts(.usDrugRegistration, window)
            {
                add(.usDrugRegistration, text, window, &pass, free: 0)
            }
        case 0b1_0000_0000, 0b1_0000_0001, 0b1:
            if enabled.has(.singaporeIdentity), letters == 0b1_0000_0001, window.isBare || window.shape == 0x171,
                pass.accepts(.singaporeIdentity, window)
            {
                add(.singaporeIdentity, text, window, &pass, free: freeInCapitals(85, text, window))
            }
            if enabled.has(.spainTax), window.group &+ 3 > window.last, pass.accepts(.spainTax, window) {
                let free: Int
                switch pass.run[window.first] {
                case UInt8(ascii: "X")...UInt8(ascii: "Z"): free = 85
                case UInt8(ascii: "0")...UInt8(ascii: "9"): free = 75
                default: free = 0
                }
                add(.spainTax, text, window, &pass, free: freeInCapitals(free, text, window))
            }
        default: break
        }
    }

    private func freeInCapitals(_ confidence: Int, _ text: TextBytes, _ window: NumberWindow) -> Int {
        text.isTied(window) || text.hasSmallLetter(window.start, window.end) ? 0 : confidence
    }

    /// Adds what passed its check: surely where it is announced, with `free` where nothing is, unless that is 0, or the
    /// bare digits are said to be something else.
    func add(
        _ detector: BuiltInDetector, _ text: TextBytes, _ window: NumberWindow, _ pass: inout DetectionPass, free: Int
    ) {
        if window.hasBracket || window.marks > 3 { return }
        if free < 80, pass.announces(detector, text, window.start, window.end) {
            pass.add(detector, window.start, window.end, 97)
        } else if pass.isAssuming || pass.name.contains(Context(detector)) {
            pass.add(detector, window.start, window.end, 97)
        } else if free > 0 {
            if window.isBare, free < 95, pass.contradicts(text, window.start) { return }
            if text.isInUUID(window.start, window.end) { return }
            pass.add(detector, window.start, window.end, free)
        }
    }
}
