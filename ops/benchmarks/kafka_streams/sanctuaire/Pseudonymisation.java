package sanctuaire;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.Set;
import java.util.zip.CRC32;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.StreamPartitioner;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** The pseudonymiser on Kafka Streams: one thread, the sequence in RocksDB with its changelog. */
public final class Pseudonymisation {
    private static final String SEQS = "seqs";
    private static final byte[] SPEC_VERSION = Step.ascii("1.0");
    private static final byte[] SOURCE = Step.ascii("sanctuaire/pseudonymisation");
    private static final byte[] TYPE = Step.ascii("sanctuaire.operation.v1");
    private static final byte[] JSON = Step.ascii("application/json");

    private Pseudonymisation() {}

    /** Arguments: the job's file, then `exactly_once_v2` or `at_least_once`. */
    public static void main(String[] arguments) throws Exception {
        Job job = Job.read(arguments[0]);
        Application.run(topology(job), Application.settings(job, arguments[1]));
    }

    private static Topology topology(Job job) {
        Topology topology = new Topology();
        topology.addSource("releases", Serdes.ByteArray().deserializer(), Serdes.ByteArray().deserializer(), job.input());
        topology.addProcessor("pseudonymise", () -> new Pseudonymise(job), "releases");
        topology.addStateStore(
                Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(SEQS), Serdes.Bytes(), Serdes.ByteArray()),
                "pseudonymise");
        Serializer<Operation> bytes = (topic, operation) -> operation.value();
        StreamPartitioner<byte[], Operation> spread = (topic, key, operation, count) -> {
            CRC32 hash = new CRC32();
            hash.update(operation.key());
            return Optional.of(Set.of((int) (hash.getValue() % count)));
        };
        topology.addSink("operations", (key, operation, context) -> operation.topic(),
                Serdes.ByteArray().serializer(), bytes, spread, "pseudonymise");
        return topology;
    }

    private static final class Pseudonymise implements Processor<byte[], byte[], byte[], Operation> {
        private final Job job;
        private Step step;
        private ProcessorContext<byte[], Operation> context;
        private KeyValueStore<Bytes, byte[]> seqs;

        Pseudonymise(Job job) {
            this.job = job;
        }

        @Override
        public void init(ProcessorContext<byte[], Operation> given) {
            context = given;
            seqs = context.getStateStore(SEQS);
            try {
                step = new Step(job);
            } catch (Exception cause) {
                throw new IllegalStateException(cause);
            }
        }

        @Override
        public void process(Record<byte[], byte[]> release) {
            try {
                int partition = context.recordMetadata().orElseThrow().partition();
                Operation operation = step.take(release.value(), partition, seqs);
                if (operation != null) {
                    context.forward(new Record<>(operation.key(), operation, release.timestamp(), headers(operation)));
                }
            } catch (IOException cause) {
                throw new UncheckedIOException(cause);
            }
        }

        private static Headers headers(Operation operation) {
            return new RecordHeaders()
                    .add("ce_specversion", SPEC_VERSION)
                    .add("ce_id", operation.eventId())
                    .add("ce_source", SOURCE)
                    .add("ce_type", TYPE)
                    .add("content-type", JSON);
        }
    }
}
