"""Why one provider knows one person, or does not, from the live topics: `sanctuaire explain` is a shell around it.

`states` reads, of each stage's state, the one partition and the few entries that are hers; `whereabouts` says how far
her pair has come, `trace` puts everything together, `showing` prints it. Nothing of it names anybody unless asked to.
"""
