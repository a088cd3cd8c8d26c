"""The console: what operators watch. Reads accounts and quarantines, never a payload that speaks of a person."""
