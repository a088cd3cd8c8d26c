"""A provider that reads a compacted Kafka topic of its own."""
