"""What models answered in runs of the studio, with the verdicts on it, as a source of training data."""

ANSWERED = ("benchmark", "chat")  # kinds of run in which a model answers and its answers are judged
