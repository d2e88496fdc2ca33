/// What stands in the place of a value and can be compared, or opened again.
public enum TokenForm: Sendable { case keyed }
