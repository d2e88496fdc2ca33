import Testing
import TidegateTokens
