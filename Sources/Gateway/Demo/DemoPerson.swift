/// The three people of the development issuer.
public struct DemoPerson: Sendable, Equatable {
    /// The token's `sub`, and what `tidegate demo token NAME` takes.
    public var name: String
    public var groups: [String]
    public var summary: String

    public static let analyst = DemoPerson(
        name: "analyst", groups: ["analysts"], summary: "may read orders, with cards, e-mails and addresses masked")
    public static let contractor = DemoPerson(
        name: "contractor", groups: ["contractors"], summary: "may read nothing: the contract has ended")
    public static let dataOwner = DemoPerson(
        name: "data-owner", groups: ["data-owners"], summary: "may read and write orders, in the clear")
    public static let all = [analyst, contractor, dataOwner]
}
