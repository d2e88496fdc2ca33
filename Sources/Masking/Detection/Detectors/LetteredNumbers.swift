extension DetectorSet {
    /// What a window with letters may be.
    func examineLettered(_ text: TextBytes, _ window: NumberWindow, _ pass: inout DetectionPass) {
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
}
