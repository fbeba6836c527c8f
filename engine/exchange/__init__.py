"""Files of other tools: patches and verdicts that come in, and results that go out; a format is one file."""
