"""How a stage runs, whichever rule it applies. Knows none of them."""
