package sanctuaire;

/** One finished record: where it goes, and its bytes. Kafka's serialiser only hands the bytes over. */
record Operation(String topic, int partition, byte[] key, byte[] eventId, byte[] value) {}
