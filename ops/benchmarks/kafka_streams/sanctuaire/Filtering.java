package sanctuaire;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.StreamPartitioner;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * The filter on Kafka Streams: one thread; consents as a table, images and pairs beside it, in RocksDB with changelogs.
 *
 * <p>It does less than services/filtering: one contract on consent, and only the rules that the benchmark's input can
 * meet. It checks no schema, writes no audit and no quarantine, decides nothing again at midnight or under another
 * policy, and cannot take back: whatever of that the input would ask for ends it.
 */
public final class Filtering {
    private static final String CONSENTS = "consents";
    private static final String SUBJECTS = "subjects";
    private static final byte[] SPEC_VERSION = Step.ascii("1.0");
    private static final byte[] SOURCE = Step.ascii("sanctuaire/filtering");
    private static final byte[] TYPE = Step.ascii("sanctuaire.release.v1");
    private static final byte[] JSON = Step.ascii("application/json");

    private Filtering() {}

    /** Arguments: the job's file, then `exactly_once_v2` or `at_least_once`. */
    public static void main(String[] arguments) throws Exception {
        Job job = Job.read(arguments[0]);
        Properties settings = Application.settings(job, arguments[1]);
        // The changes come in one transaction.
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.ISOLATION_LEVEL_CONFIG), "read_committed");
        Application.run(topology(job, Terms.of(job)), settings);
    }

    private static Topology topology(Job job, Terms terms) {
        Topology topology = new Topology();
        topology.addSource("decisions", Serdes.ByteArray().deserializer(), Serdes.ByteArray().deserializer(), job.consents());
        topology.addSource("changes", Serdes.ByteArray().deserializer(), Serdes.ByteArray().deserializer(), job.input());
        topology.addProcessor("hear", Hear::new, "decisions");
        topology.addProcessor("decide", () -> new Decide(terms, job.outputs().get(terms.provider())), "changes");
        topology.addStateStore(
                Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(CONSENTS), Serdes.Bytes(), Serdes.ByteArray()),
                "hear", "decide");
        topology.addStateStore(
                Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(SUBJECTS), Serdes.Bytes(), Serdes.ByteArray()),
                "hear", "decide");
        Serializer<Operation> bytes = (topic, release) -> release.value();
        StreamPartitioner<byte[], Operation> same = (topic, key, release, count) -> Optional.of(Set.of(release.partition()));
        topology.addSink("releases", (key, release, context) -> release.topic(),
                Serdes.ByteArray().serializer(), bytes, same, "decide");
        return topology;
    }

    /** Keeps every word of a family, as one list a subject. */
    private static final class Hear implements Processor<byte[], byte[], Void, Void> {
        private KeyValueStore<Bytes, byte[]> consents;
        private KeyValueStore<Bytes, byte[]> subjects;
        private final Output out = new Output();

        @Override
        public void init(ProcessorContext<Void, Void> context) {
            consents = context.getStateStore(CONSENTS);
            subjects = context.getStateStore(SUBJECTS);
        }

        @Override
        public void process(Record<byte[], byte[]> decision) {
            Bytes key = Bytes.wrap(decision.key());
            if (subjects.get(key) != null) {
                throw new IllegalStateException("a consent after the image: not in this input");
            }
            byte[] known = consents.get(key);
            out.clear();
            if (known == null) {
                out.put('[');
            } else {
                out.put(known, 0, known.length - 1).put(',');
            }
            consents.put(key, out.put(decision.value()).put(']').copy());
        }
    }

    private static final class Decide implements Processor<byte[], byte[], byte[], Operation> {
        private final Terms terms;
        private final String topic;
        private final Output out = new Output();
        private Filter filter;
        private ProcessorContext<byte[], Operation> context;
        private KeyValueStore<Bytes, byte[]> consents;
        private KeyValueStore<Bytes, byte[]> subjects;

        Decide(Terms terms, String topic) {
            this.terms = terms;
            this.topic = topic;
        }

        @Override
        public void init(ProcessorContext<byte[], Operation> given) {
            context = given;
            consents = context.getStateStore(CONSENTS);
            subjects = context.getStateStore(SUBJECTS);
            try {
                filter = new Filter(terms);
            } catch (Exception cause) {
                throw new IllegalStateException(cause);
            }
        }

        @Override
        public void process(Record<byte[], byte[]> change) {
            try {
                decide(change);
            } catch (IOException cause) {
                throw new UncheckedIOException(cause);
            }
        }

        private void decide(Record<byte[], byte[]> change) throws IOException {
            Bytes key = Bytes.wrap(change.key());
            byte[] known = subjects.get(key);
            Image person = Image.fold(known == null ? null : Image.load(known), Image.change(change.value()));
            if (person == null) {
                return;
            }
            String subject = new String(change.key(), StandardCharsets.UTF_8);
            byte[] release = filter.decide(subject, person, consents.get(key), Instant.now());
            subjects.put(key, person.dump(out));
            if (release != null) {
                int partition = context.recordMetadata().orElseThrow().partition();
                byte[] eventId = Step.ascii(partition + "." + terms.contract() + '.' + person.seq);
                Operation sent = new Operation(topic, partition, change.key(), eventId, release);
                context.forward(new Record<>(change.key(), sent, change.timestamp(), headers(eventId)));
            }
        }

        private static Headers headers(byte[] eventId) {
            return new RecordHeaders()
                    .add("ce_specversion", SPEC_VERSION)
                    .add("ce_id", eventId)
                    .add("ce_source", SOURCE)
                    .add("ce_type", TYPE)
                    .add("content-type", JSON);
        }
    }
}
