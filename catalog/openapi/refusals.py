"""What is wrong with a document."""


class UnreadableDocument(ValueError):
    """A document that is no OpenAPI we can show; ``str()`` says why, in words for operators."""
