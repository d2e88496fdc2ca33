"""Recall and precision of the detectors on labelled texts and documents, beside Presidio's. See ../README.md."""
