package sanctuaire;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** Whether what a family said lets a contract on consent release: R10 to R14 (services/filtering/consent.py). */
final class Words {
    private static final int ADULT = 18;
    private static final int MAX_INSTANTS = 8192;
    private static final JsonFactory JSON = new JsonFactory();

    private final Terms terms;
    private final Map<String, Instant> instants = new HashMap<>();

    Words(Terms terms) {
        this.terms = terms;
    }

    /** The last word of one party. */
    private record Word(Instant at, int rank, boolean counts) {
        boolean isYes() {
            return rank == 0 && counts;
        }

        boolean isNo() {
            return rank > 0;
        }

        boolean isAfter(Word other) {
            int order = at.compareTo(other.at);
            order = order == 0 ? Integer.compare(rank, other.rank) : order;
            return order == 0 ? counts && !other.counts : order > 0;
        }
    }

    /** `age` null where no birth date is known: then both are asked (R9). */
    boolean allow(byte[] decisions, byte[] guardians, String source, Integer age, Instant now) throws IOException {
        if (decisions == null) {
            return false;
        }
        Map<String, String> legal = legal(guardians, source);
        Map<String, Word> words = words(decisions, legal, now);
        Word own = words.get("subject");
        if (own == null || !own.isYes()) {
            return false;
        }
        if (age != null && age >= ADULT) {
            return true;
        }
        boolean one = false, all = true, opposed = false, withdrawn = false;
        for (Map.Entry<String, String> guardian : legal.entrySet()) {
            if (guardian.getValue() != null && !isHolder(guardian.getValue())) {
                continue;
            }
            Word word = words.get(guardian.getKey());
            boolean yes = word != null && word.isYes();
            one |= yes;
            all &= yes;
            opposed |= word != null && word.isNo();
            withdrawn |= word != null && word.rank() == 2 && !own.at().isAfter(word.at());
        }
        if (age != null && age >= terms.consentAge()) {
            return terms.informationSocietyService() ? !withdrawn : one;
        }
        return one && !opposed && (terms.usualAct() || all);
    }

    private Map<String, Word> words(byte[] decisions, Map<String, String> legal, Instant now) throws IOException {
        Map<String, Word> words = new HashMap<>();
        try (JsonParser parser = JSON.createParser(decisions)) {
            parser.nextToken();
            while (parser.nextToken() == JsonToken.START_OBJECT) {
                String party = null, status = null, at = null, until = null;
                String purpose = null, provider = null, notice = null, proof = null;
                for (String field; (field = parser.nextFieldName()) != null; ) {
                    String text = parser.nextTextValue();
                    switch (field) {
                        case "subject" -> {}
                        case "party" -> party = text;
                        case "status" -> status = text;
                        case "at" -> at = text;
                        case "until" -> until = text;
                        case "purpose" -> purpose = text;
                        case "provider" -> provider = text;
                        case "notice" -> notice = text;
                        case "proof" -> proof = text;
                        default -> throw new IllegalArgumentException("a field that is not declared");
                    }
                }
                if (!terms.purpose().equals(purpose) || !terms.provider().equals(provider)) {
                    continue;
                }
                int rank = switch (status) {
                    case "given" -> 0;
                    case "refused" -> 1;
                    case "withdrawn" -> 2;
                    default -> throw new IllegalArgumentException("status: not declared");
                };
                Instant said = instant(at);
                if (rank == 0 && (said.isAfter(now) || !mayGive(party, legal))) {
                    continue;
                }
                boolean counts = terms.notice().equals(notice) && proof != null
                        && (until == null || instant(until).isAfter(now));
                Word word = new Word(said, rank, rank == 0 && counts);
                words.merge(party.equals("child") ? "subject" : party, word, (was, is) -> is.isAfter(was) ? is : was);
            }
        }
        return words;
    }

    /** For a usual act, whoever holds parental authority first. */
    private boolean mayGive(String party, Map<String, String> legal) {
        if (!party.startsWith("guardian:")) {
            return true;
        }
        String said = legal.get(party);
        return said != null && (terms.usualAct() ? said.equals("1") : isHolder(said));
    }

    private static boolean isHolder(String legal) {
        return legal.equals("1") || legal.equals("2");
    }

    /** Party → AAF's `legal` of every guardian that the image names. */
    private static Map<String, String> legal(byte[] guardians, String source) throws IOException {
        Map<String, String> legal = new LinkedHashMap<>();
        if (!Image.isSaid(guardians)) {
            return legal;
        }
        try (JsonParser parser = JSON.createParser(guardians)) {
            parser.nextToken();
            while (parser.nextToken() == JsonToken.START_OBJECT) {
                String id = null, said = null;
                for (String field; (field = parser.nextFieldName()) != null; ) {
                    String text = parser.nextTextValue();
                    if (field.equals("id")) {
                        id = text;
                    } else if (field.equals("legal")) {
                        said = text;
                    }
                }
                legal.put("guardian:" + source + ':' + id, said);
            }
        }
        return legal;
    }

    private Instant instant(String text) {
        Instant known = instants.get(text);
        if (known == null) {
            if (instants.size() >= MAX_INSTANTS) {
                instants.clear();
            }
            known = OffsetDateTime.parse(text).toInstant();
            instants.put(text, known);
        }
        return known;
    }
}
