package sanctuaire;

import java.io.IOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.Period;
import java.time.ZoneId;
import java.util.Arrays;
import java.util.Map;

/** From a change, what was known and what was consented to, to a release or none; the clock is an argument. */
final class Filter {
    private static final ZoneId PARIS = ZoneId.of("Europe/Paris");
    private static final byte[] SUBJECT = Step.ascii("\"},\"subject\":\"");
    private static final byte[] SEQ = Step.ascii("\",\"seq\":");
    private static final byte[] FIELDS = Step.ascii(",\"fields\":{");

    private final Terms terms;
    private final Words words;
    private final MessageDigest sha256;
    private final Output out = new Output();
    private LocalDate today = LocalDate.MIN;
    private Instant until = Instant.MIN;
    private long issued;

    Filter(Terms terms) throws NoSuchAlgorithmException {
        this.terms = terms;
        this.words = new Words(terms);
        this.sha256 = MessageDigest.getInstance("SHA-256");
    }

    /** The release of a person, whose image is moved on by it; null where none goes out. */
    byte[] decide(String key, Image person, byte[] decisions, Instant now) throws IOException {
        boolean delivered = person.seq > 0;
        if (!person.category.equals(terms.kind())
                || !words.allow(decisions, person.attributes.get("guardians"), person.source, age(person, now), now)) {
            if (delivered) {
                throw new IllegalStateException("an erasure is due: not in this input");
            }
            return null;
        }
        for (String field : terms.required()) {
            if (!terms.fields().contains(field) || !Image.isSaid(person.attributes.get(field))) {
                return null;
            }
        }
        byte[] digest = digest(person);
        if (delivered && Arrays.equals(digest, person.digest)) {
            return null;
        }
        if (person.namedBy == null) {
            person.namedBy = ine(person);
        }
        person.digest = digest;
        person.seq = issued = Math.max(Math.max(issued, person.seq) + 1, now.getEpochSecond() * 1_000_000 + now.getNano() / 1000);
        return release(key, person);
    }

    private Integer age(Image person, Instant now) {
        String born = person.text("birth_date");
        if (!now.isBefore(until)) {
            today = LocalDate.ofInstant(now, PARIS);
            until = today.plusDays(1).atStartOfDay(PARIS).toInstant();
        }
        return born == null ? null : Period.between(LocalDate.parse(born), today).getYears();
    }

    private byte[] digest(Image person) {
        sha256.update(Step.ascii(person.category));
        sha256.update(Step.ascii(person.source));
        for (String field : terms.sortedFields()) {
            byte[] value = person.attributes.get(field);
            if (Image.isSaid(value)) {
                sha256.update(Step.ascii(field));
                sha256.update(value);
            }
        }
        return Arrays.copyOf(sha256.digest(), 16);
    }

    private static String ine(Image person) {
        String ine = person.text("ine");
        if (ine == null || ine.length() != 11) {
            throw new IllegalArgumentException("a pupil without INE: not in this input");
        }
        return ine;
    }

    private byte[] release(String key, Image person) {
        out.clear();
        out.put(terms.beforeSource()).put(person.source).put(terms.beforeName()).quote(person.namedBy);
        out.put(SUBJECT).quote(key).put(SEQ).put(person.seq).put(FIELDS);
        boolean first = true;
        for (Map.Entry<String, byte[]> entry : person.attributes.entrySet()) {
            if (terms.fields().contains(entry.getKey()) && Image.isSaid(entry.getValue())) {
                out.put(first ? "\"" : ",\"").put(entry.getKey()).put("\":").put(entry.getValue());
                first = false;
            }
        }
        return out.put("}}").copy();
    }
}
