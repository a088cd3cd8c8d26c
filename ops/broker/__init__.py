"""Apache Kafka as a child process: a real broker on a machine without Docker and without Java.

`embedded.EmbeddedBroker` runs one, `existing.bootstrap_or_embedded` prefers a cluster that the environment names.
Read `configuration` for what the broker is told and `guardian` for how it ends.
"""
