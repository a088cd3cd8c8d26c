package sanctuaire;

import java.nio.charset.StandardCharsets;
import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.text.Normalizer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;

/** All the names that one provider key gives; HMAC's two pads are hashed once, and its states cloned. */
final class Names {
    private static final byte[] BASE32 = "abcdefghijklmnopqrstuvwxyz234567".getBytes(StandardCharsets.US_ASCII);
    private static final String UAI_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ";

    private final MessageDigest inner;
    private final MessageDigest outer;
    private final byte[] personBefore;
    private final byte[] schoolBefore;
    private final Map<String, byte[]> schools = new HashMap<>();
    private final Map<String, byte[]> groups = new HashMap<>();
    private final byte[] eventBefore = concat(le64(3), part(utf8("ppg/event/v1")), le64(32));
    private final byte[] eight = le64(8);
    private final byte[] digest = new byte[32];

    Names(String keyInHex, String perimeter) throws NoSuchAlgorithmException {
        byte[] key = Arrays.copyOf(HexFormat.of().parseHex(keyInHex), 64);
        inner = sha256(key, (byte) 0x36);
        outer = sha256(key, (byte) 0x5c);
        personBefore = before("person", perimeter, "INE");
        schoolBefore = before("school", perimeter, "UAI");
    }

    byte[] person(String entityClass, String namespace, String type, String value, String perimeter) {
        boolean usual = type.equals("INE") && entityClass.equals("person") && namespace.equals(perimeter);
        byte[] before = usual ? personBefore : before(entityClass, nfc(namespace), type);
        byte[] canonical = utf8(type.equals("INE") ? ine(value) : nfc(value).strip());
        return name(before, canonical);
    }

    byte[] school(String uai) {
        byte[] known = schools.get(uai);
        if (known == null) {
            known = name(schoolBefore, utf8(uai(uai)));
            schools.put(uai, known);
        }
        return known;
    }

    byte[] group(String source, String uai, String code) {
        String value = uai + '$' + code;
        byte[] known = groups.get(value);
        if (known == null) {
            known = name(before("group", nfc(source), "local"), utf8(uai(uai) + '$' + nfc(code).strip()));
            groups.put(value, known);
        }
        return known;
    }

    byte[] eventId(byte[] pseudonym, long seq) {
        MessageDigest started = copy(inner);
        started.update(eventBefore);
        started.update(pseudonym);
        started.update(eight);
        started.update(be64(seq));
        return base32(finish(started));
    }

    private byte[] name(byte[] before, byte[] value) {
        MessageDigest started = copy(inner);
        started.update(before);
        started.update(le64(value.length));
        started.update(value);
        return base32(finish(started));
    }

    private byte[] finish(MessageDigest started) {
        try {
            started.digest(digest, 0, 32);
            MessageDigest last = copy(outer);
            last.update(digest);
            last.digest(digest, 0, 32);
            return digest;
        } catch (DigestException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    /** The first 20 octets: 160 bits, 32 letters. */
    private static byte[] base32(byte[] octets) {
        byte[] text = new byte[32];
        for (int group = 0; group < 4; group++) {
            long bits = 0;
            for (int i = 0; i < 5; i++) {
                bits = bits << 8 | octets[group * 5 + i] & 0xff;
            }
            for (int i = 7; i >= 0; i--, bits >>>= 5) {
                text[group * 8 + i] = BASE32[(int) (bits & 31)];
            }
        }
        return text;
    }

    private static String ine(String value) {
        String ine = nfc(value).strip().toUpperCase(Locale.ROOT);
        boolean shaped = ine.length() == 11 && digits(ine, 9) && letter(ine, 10) && (letter(ine, 9) || digits(ine, 10));
        if (!shaped) {
            throw new IllegalArgumentException("INE: malformed");
        }
        return ine;
    }

    private static String uai(String value) {
        String uai = nfc(value).strip().toUpperCase(Locale.ROOT);
        if (uai.length() != 8 || !digits(uai, 7)
                || uai.charAt(7) != UAI_LETTERS.charAt(Integer.parseInt(uai, 0, 7, 10) % 23)) {
            throw new IllegalArgumentException("UAI: malformed");
        }
        return uai;
    }

    private static boolean digits(String text, int count) {
        for (int i = 0; i < count; i++) {
            if (text.charAt(i) < '0' || text.charAt(i) > '9') {
                return false;
            }
        }
        return true;
    }

    private static boolean letter(String text, int at) {
        return text.charAt(at) >= 'A' && text.charAt(at) <= 'Z';
    }

    private static String nfc(String text) {
        return Normalizer.isNormalized(text, Normalizer.Form.NFC) ? text : Normalizer.normalize(text, Normalizer.Form.NFC);
    }

    private static byte[] before(String entityClass, String namespace, String type) {
        return concat(le64(5), part(utf8("ppg/pairwise/v1")), part(utf8(entityClass)), part(utf8(namespace)), part(utf8(type)));
    }

    private static MessageDigest sha256(byte[] key, byte pad) throws NoSuchAlgorithmException {
        byte[] block = key.clone();
        for (int i = 0; i < block.length; i++) {
            block[i] ^= pad;
        }
        MessageDigest hashed = MessageDigest.getInstance("SHA-256");
        hashed.update(block);
        return hashed;
    }

    private static MessageDigest copy(MessageDigest state) {
        try {
            return (MessageDigest) state.clone();
        } catch (CloneNotSupportedException impossible) {
            throw new IllegalStateException(impossible);
        }
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] part(byte[] octets) {
        return concat(le64(octets.length), octets);
    }

    private static byte[] le64(long number) {
        return be64(Long.reverseBytes(number));
    }

    private static byte[] be64(long number) {
        byte[] octets = new byte[8];
        for (int i = 7; i >= 0; i--, number >>>= 8) {
            octets[i] = (byte) number;
        }
        return octets;
    }

    private static byte[] concat(byte[]... parts) {
        int length = 0;
        for (byte[] part : parts) {
            length += part.length;
        }
        byte[] all = new byte[length];
        int at = 0;
        for (byte[] part : parts) {
            System.arraycopy(part, 0, all, at, part.length);
            at += part.length;
        }
        return all;
    }
}
