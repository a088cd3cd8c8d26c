package sanctuaire;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** One change, or one source's word on a person and what was last said of her: values stay the bytes they came as. */
final class Image {
    private static final int DIGEST = 16;
    private static final JsonFactory JSON = new JsonFactory();

    String kind;
    String category;
    String source;
    String id;
    String version;
    String namedBy;
    Map<String, byte[]> attributes = new LinkedHashMap<>();
    Map<String, String> patched = new HashMap<>();
    /** Of the last release; 0 where there was none. */
    long seq;
    byte[] digest = new byte[DIGEST];

    static Image change(byte[] raw) throws IOException {
        Image image = new Image();
        image.read(raw, 0);
        if (image.kind == null || image.category == null || image.source == null || image.id == null
                || image.version == null) {
            throw new IllegalArgumentException("change: incomplete");
        }
        return image;
    }

    /** What `dump` has written. */
    static Image load(byte[] raw) throws IOException {
        Image image = new Image();
        image.seq = Output.big(raw);
        image.digest = Arrays.copyOfRange(raw, 8, 8 + DIGEST);
        image.read(raw, 8 + DIGEST);
        return image;
    }

    byte[] dump(Output out) {
        out.clear();
        out.put(Output.big(seq)).put(digest);
        out.put("{\"source\":").put('"').put(source).put("\",\"id\":\"").quote(id);
        out.put("\",\"category\":\"").put(category).put("\",\"version\":\"").put(version);
        if (namedBy != null) {
            out.put("\",\"named_by\":\"").put(namedBy);
        }
        out.put("\",\"patched\":{");
        boolean first = true;
        for (Map.Entry<String, String> entry : patched.entrySet()) {
            out.put(first ? "\"" : ",\"").put(entry.getKey()).put("\":\"").put(entry.getValue()).put('"');
            first = false;
        }
        out.put("},\"attributes\":{");
        first = true;
        for (Map.Entry<String, byte[]> entry : attributes.entrySet()) {
            out.put(first ? "\"" : ",\"").put(entry.getKey()).put("\":").put(entry.getValue());
            first = false;
        }
        return out.put("}}").copy();
    }

    /** Null where the change is not newer than what is known (services/filtering/subject.py). */
    static Image fold(Image known, Image change) {
        boolean upsert = change.kind.equals("upsert");
        if (known == null) {
            if (!upsert) {
                throw new IllegalArgumentException("a patch of nobody: not in this input");
            }
            return change;
        }
        if (!known.id.equals(change.id) || !known.source.equals(change.source) || !(upsert || change.kind.equals("patch"))) {
            throw new IllegalArgumentException("a delete, or another person's change: not in this input");
        }
        if (change.version.compareTo(known.version) <= 0) {
            return null;
        }
        return upsert ? known.replaced(change) : known.patched(change);
    }

    private Image replaced(Image change) {
        patched.values().removeIf(version -> version.compareTo(change.version) <= 0);
        patched.keySet().forEach(name -> change.attributes.put(name, attributes.get(name)));
        attributes = change.attributes;
        category = change.category;
        version = change.version;
        return this;
    }

    private Image patched(Image change) {
        boolean said = false;
        for (Map.Entry<String, byte[]> entry : change.attributes.entrySet()) {
            String before = patched.get(entry.getKey());
            if (before == null || before.compareTo(change.version) < 0) {
                attributes.put(entry.getKey(), entry.getValue());
                patched.put(entry.getKey(), change.version);
                said = true;
            }
        }
        return said ? this : null;
    }

    /** A text among the attributes that needs no escape; null where it is not said. */
    String text(String name) {
        byte[] raw = attributes.get(name);
        return raw == null || raw[0] != '"' ? null : new String(raw, 1, raw.length - 2, StandardCharsets.UTF_8);
    }

    /** Whether there is anything to show: neither null nor empty. No field of this input is a number. */
    static boolean isSaid(byte[] raw) {
        return raw != null && raw.length > 2 && !(raw.length == 4 && raw[0] == 'n');
    }

    private void read(byte[] raw, int start) throws IOException {
        try (JsonParser parser = JSON.createParser(raw, start, raw.length - start)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw new IllegalArgumentException("change: not an object");
            }
            for (String field; (field = parser.nextFieldName()) != null; ) {
                switch (field) {
                    case "kind" -> kind = parser.nextTextValue();
                    case "entity" -> {
                        if (!"person".equals(parser.nextTextValue())) {
                            throw new IllegalArgumentException("entity: not in this input");
                        }
                    }
                    case "category" -> category = parser.nextTextValue();
                    case "source" -> source = parser.nextTextValue();
                    case "id" -> id = parser.nextTextValue();
                    case "version" -> version = parser.nextTextValue();
                    case "named_by" -> namedBy = parser.nextTextValue();
                    case "patched" -> {
                        parser.nextToken();
                        for (String name; (name = parser.nextFieldName()) != null; ) {
                            patched.put(name, parser.nextTextValue());
                        }
                    }
                    case "attributes" -> {
                        parser.nextToken();
                        for (String name; (name = parser.nextFieldName()) != null; ) {
                            parser.nextToken();
                            attributes.put(name, value(raw, start, parser));
                        }
                    }
                    default -> throw new IllegalArgumentException("a field that is not declared");
                }
            }
        }
    }

    /** The value that the parser stands on, as it was written. */
    private static byte[] value(byte[] raw, int start, JsonParser parser) throws IOException {
        int from = (int) parser.currentTokenLocation().getByteOffset();
        if (parser.currentToken() == JsonToken.VALUE_STRING) {
            parser.finishToken();
        } else {
            parser.skipChildren();
        }
        // Jackson counts from where it was told to begin.
        return Arrays.copyOfRange(raw, start + from, start + (int) parser.currentLocation().getByteOffset());
    }
}
