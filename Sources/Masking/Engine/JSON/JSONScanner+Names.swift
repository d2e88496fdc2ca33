import TidegateWire

/// Names as context for detectors, where the bytes of a member's name do not say it all.
extension JSONScanner {
    /// An object whose members' names are asked for: what follows it, in an array, has the name again that it had.
    @inline(never)
    mutating func namedObject(_ start: Int, _ places: PlaceSet, _ depth: Int) -> Int? {
        let (name, owner) = ((nameStart, nameEnd), (ownerStart, ownerEnd))
        (ownerStart, ownerEnd) = name
        let end = object(start, places, depth)
        (nameStart, nameEnd) = name
        (ownerStart, ownerEnd) = owner
        return end
    }

    /// True for names that only say that something has a value: whose, its object's name says (`"ssn":{"value":...}`).
    @inline(__always)
    static func isGeneral(_ name: UnsafeRawBufferPointer) -> Bool {
        guard name.count <= 6, name.count > 0 else { return false }
        switch unsafe name[0] | 0x20 {
        case UInt8(ascii: "v"), UInt8(ascii: "n"), UInt8(ascii: "t"), UInt8(ascii: "r"), 0x23, 0x24, 0x7f:
            return unsafe isInList(name)
        default: return false
        }
    }

    private static func isInList(_ name: UnsafeRawBufferPointer) -> Bool {
        var word: UInt64 = 0
        for index in name.indices { word = unsafe word &<< 8 | UInt64(name[index] | 0x20) }
        switch word {
        // value val number num no, then text #text raw $ _
        case 0x0076_616c_7565, 0x0076_616c, 0x6e75_6d62_6572, 0x006e_756d, 0x6e6f: return true
        case 0x7465_7874, 0x0023_7465_7874, 0x0072_6177, 0x24, 0x7f: return true
        default: return false
        }
    }

    /// Looks at a value with its name decoded, and its object's name before it where its own says nothing.
    @inline(never)
    mutating func inspectWithFullName(_ start: Int, _ end: Int, _ places: PlaceSet) {
        var name = workspace.takeRoom()
        if nameEnd > nameStart {
            unsafe JSONEscapes.appendText(of: bytes(nameStart, nameEnd), to: &name)
            if unsafe name.withUnsafeBytes({ unsafe JSONScanner.isGeneral($0) }) {
                // Its object's first: words are joined in that order.
                name.removeAll(keepingCapacity: true)
                if ownerEnd > ownerStart {
                    unsafe JSONEscapes.appendText(of: bytes(ownerStart, ownerEnd), to: &name)
                } else {
                    unsafe name.append(contentsOf: rootName)
                }
                name.append(UInt8(ascii: "."))
                unsafe JSONEscapes.appendText(of: bytes(nameStart, nameEnd), to: &name)
            }
        } else {
            unsafe name.append(contentsOf: rootName)
        }
        unsafe name.withUnsafeBytes { unsafe inspect(start, end, places, $0) }
        workspace.give(room: &name)
    }
}
