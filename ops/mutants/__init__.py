"""How many deliberate faults in the modules that decide some test notices; mutmut makes them (`make mutants`)."""
