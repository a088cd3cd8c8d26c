package sanctuaire;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * A release to an operation, as services/pseudonymisation does it: one pass over the bytes, no tree.
 *
 * <p>The filter writes a release's fields last and everything they need before them. What no rule renames is copied as
 * it was written; field names and punctuation are encoded once.
 */
final class Step {
    private static final Set<String> PLAIN = Set.of(
            "family_name", "birth_name", "given_name", "other_given_names", "title", "birth_date", "birth_year",
            "level", "mef", "subjects", "commune", "departement", "region", "age_13", "age_15", "age_16", "age_18");
    private static final Map<String, String> GROUPS = Map.of(
            "divisions", "code", "groups", "code", "teaches_divisions", "division", "teaches_groups", "group");

    private static final byte[] PROVIDER = ascii("{\"provider\":\"");
    private static final byte[] CONTRACT = ascii("\",\"contract\":\"");
    private static final byte[] PSEUDONYM = ascii("\",\"pseudonym\":\"");
    private static final byte[] SEQ = ascii("\",\"seq\":");
    private static final byte[] POLICY = ascii(",\"policy\":\"");
    private static final byte[] VERSION = ascii("\",\"policy_version\":");
    private static final byte[] EVENT = ascii(",\"event_id\":\"");
    private static final byte[] KIND = ascii("\",\"kind\":\"");
    private static final byte[] FIELDS = ascii("\",\"fields\":{");
    private static final byte[] SCHOOL = ascii("\"school\":\"");
    private static final byte[] GROUP = ascii("{\"id\":\"");
    private static final byte[] SUBJECT = ascii("\",\"subject\":");

    private final JsonFactory json = new JsonFactory();
    private final Output out = new Output();
    private final Map<String, byte[]> fieldNames = new HashMap<>();
    private final Map<String, Names> names = new HashMap<>();
    private final Map<String, Set<String>> allowed = new HashMap<>();
    private final Job job;

    Step(Job job) throws Exception {
        this.job = job;
        for (Map.Entry<String, String> key : job.keys().entrySet()) {
            names.put(key.getKey(), new Names(key.getValue(), job.perimeter()));
        }
        job.allowed().forEach((pair, fields) -> {
            allowed.put(pair, new HashSet<>(fields));
            fields.forEach(field -> fieldNames.put(field, ascii("\"" + field + "\":")));
        });
    }

    /** Null for what the sequence refuses. */
    Operation take(byte[] raw, int partition, KeyValueStore<Bytes, byte[]> seqs) throws IOException {
        try (JsonParser parser = json.createParser(raw)) {
            return take(raw, parser, partition, seqs);
        }
    }

    private Operation take(byte[] raw, JsonParser parser, int partition, KeyValueStore<Bytes, byte[]> seqs)
            throws IOException {
        String provider = null, contract = null, family = null, policy = null, kind = null, source = null;
        String entityClass = null, namespace = null, type = null, value = null;
        long seq = 0;
        int version = 0;
        parser.nextToken();
        for (String field; (field = parser.nextFieldName()) != null; ) {
            switch (field) {
                case "subject" -> parser.nextTextValue();
                case "provider" -> provider = parser.nextTextValue();
                case "contract" -> contract = parser.nextTextValue();
                case "purpose_family" -> family = parser.nextTextValue();
                case "seq" -> seq = parser.nextLongValue(0);
                case "policy" -> policy = parser.nextTextValue();
                case "policy_version" -> version = parser.nextIntValue(0);
                case "key_serial" -> {
                    if (parser.nextIntValue(0) != 0) {
                        throw new IllegalArgumentException("names that have changed are not known here");
                    }
                }
                case "kind" -> kind = parser.nextTextValue();
                case "source" -> source = parser.nextTextValue();
                case "named_by" -> {
                    parser.nextToken();
                    for (String inner; (inner = parser.nextFieldName()) != null; ) {
                        switch (inner) {
                            case "entity_class" -> entityClass = parser.nextTextValue();
                            case "namespace" -> namespace = parser.nextTextValue();
                            case "type" -> type = parser.nextTextValue();
                            case "value" -> value = parser.nextTextValue();
                            default -> throw new IllegalArgumentException("named_by: a field that is not declared");
                        }
                    }
                }
                case "fields" -> {
                    String pair = provider + '/' + contract;
                    Names mine = names.get(provider + '/' + family);
                    Set<String> list = allowed.get(pair);
                    if (mine == null || list == null || version > job.versions().get(provider)) {
                        throw new IllegalArgumentException("no key, or no policy in force");
                    }
                    byte[] pseudonym = mine.person(entityClass, namespace, type, value, job.perimeter());
                    if (!isNext(seqs, pair, pseudonym, seq)) {
                        return null;
                    }
                    byte[] eventId = mine.eventId(pseudonym, seq);
                    out.clear();
                    out.put(PROVIDER).put(provider).put(CONTRACT).put(contract).put(PSEUDONYM).put(pseudonym);
                    out.put(SEQ).put(seq).put(POLICY).put(policy).put(VERSION).put(version);
                    out.put(EVENT).put(eventId).put(KIND).put(kind).put(FIELDS);
                    fields(raw, parser, mine, list, source);
                    out.put('}').put('}');
                    return new Operation(job.outputs().get(provider), partition, pseudonym, eventId, out.copy());
                }
                default -> throw new IllegalArgumentException("a field that is not declared");
            }
        }
        throw new IllegalArgumentException("fields: missing");
    }

    @SuppressWarnings("deprecation") // the shortest way from ASCII text into a row of bytes
    /** Whether this is the pair's highest sequence so far; if so it is kept. */
    private static boolean isNext(KeyValueStore<Bytes, byte[]> seqs, String pair, byte[] pseudonym, long seq) {
        byte[] place = new byte[pair.length() + 33];
        pair.getBytes(0, pair.length(), place, 0);
        place[pair.length()] = '/';
        System.arraycopy(pseudonym, 0, place, pair.length() + 1, 32);
        Bytes key = Bytes.wrap(place);
        byte[] known = seqs.get(key);
        if (known != null && seq <= Output.big(known)) {
            return false;
        }
        seqs.put(key, Output.big(seq));
        return true;
    }

    private void fields(byte[] raw, JsonParser parser, Names mine, Set<String> list, String source) throws IOException {
        parser.nextToken();
        boolean first = true;
        for (String field; (field = parser.nextFieldName()) != null; first = false) {
            if (!list.contains(field)) {
                throw new IllegalArgumentException("field-not-in-contract");
            }
            if (!first) {
                out.put(',');
            }
            if (PLAIN.contains(field)) {
                out.put(fieldNames.get(field));
                parser.nextToken();
                copy(raw, parser);
            } else if (field.equals("school")) {
                out.put(SCHOOL).put(mine.school(parser.nextTextValue())).put('"');
            } else {
                out.put(fieldNames.get(field));
                groups(raw, parser, mine, GROUPS.get(field), source);
            }
        }
    }

    private void groups(byte[] raw, JsonParser parser, Names mine, String code, String source) throws IOException {
        parser.nextToken();
        List<Group> found = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            String school = null, named = null, subject = null;
            for (String field; (field = parser.nextFieldName()) != null; ) {
                if (field.equals("school")) {
                    school = parser.nextTextValue();
                } else if (field.equals(code)) {
                    named = parser.nextTextValue();
                } else if (field.equals("subject")) {
                    subject = parser.nextTextValue();
                } else {
                    parser.nextToken();
                    parser.skipChildren();
                }
            }
            found.add(new Group(mine.group(source, school, named), subject));
        }
        if (found.size() > 1) {
            found.sort(BY_ID);
        }
        out.put('[');
        for (int place = 0; place < found.size(); place++) {
            if (place > 0) {
                out.put(',');
            }
            Group group = found.get(place);
            out.put(GROUP).put(group.id());
            if (group.subject() != null) {
                out.put(SUBJECT).put('"').quote(group.subject());
            }
            out.put('"').put('}');
        }
        out.put(']');
    }

    private record Group(byte[] id, String subject) {}

    private static final Comparator<Group> BY_ID = (one, other) -> Arrays.compare(one.id(), other.id());

    /** The value that the parser stands on, as it was written. */
    private void copy(byte[] raw, JsonParser parser) throws IOException {
        int start = (int) parser.currentTokenLocation().getByteOffset();
        if (parser.currentToken() == JsonToken.VALUE_STRING) {
            parser.finishToken();
        } else {
            parser.skipChildren();
        }
        out.put(raw, start, (int) parser.currentLocation().getByteOffset());
    }

    static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
