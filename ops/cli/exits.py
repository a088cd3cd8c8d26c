"""How a command ends, and how its help says so. The numbers from 64 on are those of sysexits.h."""

from typing import Final

OK: Final = 0
SOME_REFUSED: Final = 1
USAGE: Final = 2
DATA: Final = 65
NO_SUBJECT: Final = 67
NO_PROVIDER: Final = 68
UNAVAILABLE: Final = 69
INTERNAL: Final = 70
SETTINGS: Final = 78

EPILOGUE: Final = (
    "Exit codes: 0 all done; 1 some of the input was refused, and said where; 2 wrong usage, or not a JSON object; "
    "65 bad input, or a policy refused; 67 no such person; 68 no such provider; 69 no Kafka cluster; 70 a defect of "
    "the program; 78 wrong settings or keys."
)


def manual(text: str, *examples: str) -> str:
    """The help of a command: what it does, then how it is typed, line by line."""
    lines = "\n".join(f"  {example}" for example in examples)
    return f"{text}\n\n\b\nExample:\n{lines}"
