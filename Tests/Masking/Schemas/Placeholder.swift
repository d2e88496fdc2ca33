import Testing
import TidegateSchemas
