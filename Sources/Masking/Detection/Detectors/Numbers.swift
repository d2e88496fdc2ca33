extension DetectorSet {
    /// Asks all detectors about the numbers that begin with `group`.
    ///
    /// - Returns: the group to go on with.
    func examineStart(_ text: TextBytes, _ group: Int, _ pass: inout DetectionPass) -> Int {
        var window = NumberWindow(pass.run, group)
        // Too little for any number, date or address.
        if pass.run.count &- window.first < 7, pass.run.groupCount &- group < 3 { return group &+ 1 }
        let hasDigit = pass.run.group(group).hasDigit
        // Of a number in several groups the first has digits or is a country, a kind, a prefix: at most two letters.
        if !hasDigit, pass.run.group(group).end &- window.start > 2 { return group &+ 1 }
        let longest = pass.run[window.first].isLetter ? 34 : 19
        if hasDigit, text[window.start &- 1] == UInt8(ascii: "+") || text[window.start &- 2] == UInt8(ascii: "+") {
            let next = enabled.has(.phone) ? examinePhone(text, group, &pass) : group
            if next > group || pass.hasHit { return next }
        }
        if hasDigit, enabled.has(.ipv4), examineIPv4(text, group, &pass) { return group &+ 4 }
        var next = group &+ 1
        let followsOne =
            text[window.start &- 1].isMark && text.isDigit(window.start &- 2)
            && !text.isAlphanumeric(window.start &- 3)
        for last in group..<pass.run.groupCount {
            window.extend(pass.run, to: last)
            if window.length > longest || (last > group && pass.run.group(last).isExtension) { break }
            if window.length >= 9 {
                let before = pass.findings.count
                var window = window
                // Digits one by one are a number where the row of them begins and ends with it.
                if window.isOnes, followsOne || isOne(pass.run, last &+ 1) { window.isOnes = false }
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
        if hasDigit, next == group &+ 1 {
            let isDate = examineDate(text, group, &pass)
            if pass.hasHit { return next }
            if !isDate, enabled.has(.phone) { next = max(next, examinePhone(text, group, &pass)) }
        }
        return next
    }

    @inline(__always)
    private func isOne(_ run: borrowing CharacterRun, _ group: Int) -> Bool {
        group < run.groupCount && Int(run.group(group).limit) &- run.first(group) == 1
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
                add(
                    .indiaAadhaar, text, window, &pass,
                    free: window.shape == 0x444 && !text.goesOn(window) && !isInRow(text, window) ? 80 : 0)
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
            let free =
                window.shape == 0x334 && isNoPhone && window.has(UInt8(ascii: " ")) && !text.goesOn(window) ? 65 : 0
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

    func examineRegistration(_ text: TextBytes, _ window: NumberWindow, _ pass: inout DetectionPass) {
        guard enabled.has(.franceRegistration) else { return }
        switch window.shape {
        case 15, 0x122_2332, 0xd2: break
        default: guard window.isOnes else { return }
        }
        guard pass.accepts(.franceRegistration, window) else { return }
        // 3, 4, 7 and 8 are rare, and begin the numbers of cards as well.
        let first = pass.run.digit(window.first)
        let free = window.isBare && first > 2 ? 0 : 90
        add(.franceRegistration, text, window, &pass, free: text.goesOn(window) ? 0 : free)
    }

    func examineResident(_ text: TextBytes, _ window: NumberWindow, _ pass: inout DetectionPass) {
        guard enabled.has(.chinaResident), window.isBare || window.shape == 0x684 || window.isOnes,
            pass.accepts(.chinaResident, window)
        else { return }
        add(.chinaResident, text, window, &pass, free: 95)
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
