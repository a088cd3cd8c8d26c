"""What a provider's contract asks without need, or will miss: for `sanctuaire policy check`. No note is an error.

`notes` says what can be found, `personas` lets the rules themselves decide people for whom all is in order, `contracts`
looks at the rest.
"""
