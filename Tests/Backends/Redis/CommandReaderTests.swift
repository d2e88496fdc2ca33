import Testing

@Suite struct CommandReaderTests {}
