"""Name what is wrong with a charge's properties."""


class InvalidPrice(ValueError):
    """
    The properties do not describe a price of their model.

    ``param`` is the path of the offending property as an API names it (``tiers[1].up_to``, counted from 0);
    ``str()`` is one sentence for people, which names the tier as they count it (from 1).
    """

    def __init__(self, param: str, sentence: str) -> None:
        """Keep the path beside the sentence."""
        super().__init__(sentence)
        self.param = param
