"""What one provider would see of a set of files, without a broker: the stages' own pure functions, one after another.

`population` keeps who is known on disk, so that a whole académie needs little memory; `chain` is the way of one
person through the three stages; `tally` counts what came of it.
"""
