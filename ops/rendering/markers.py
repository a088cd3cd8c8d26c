"""A rendered part inside a file written by hand, between `<!-- name:begin -->` and `<!-- name:end -->`."""


def replace_between(text: str, name: str, body: str) -> str:
    """The text with the part anew.

    Raises:
        LookupError: the text does not hold the two marks once each, in this order.
    """
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before, *rest = text.split(begin)
    _, *after = rest[0].split(end) if len(rest) == 1 else ("",)
    if len(after) != 1:
        message = f"expected {begin} and {end} once each, in this order"
        raise LookupError(message)
    return f"{before}{begin}\n{body.strip()}\n{end}{after[0]}"
