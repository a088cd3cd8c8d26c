package sanctuaire;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/** A growing row of bytes, used again for every record of its thread. */
final class Output {
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

    private byte[] bytes = new byte[4096];
    private int length;

    void clear() {
        length = 0;
    }

    Output put(byte[] part) {
        return put(part, 0, part.length);
    }

    Output put(byte[] from, int start, int end) {
        room(end - start);
        System.arraycopy(from, start, bytes, length, end - start);
        length += end - start;
        return this;
    }

    Output put(char ascii) {
        room(1);
        bytes[length++] = (byte) ascii;
        return this;
    }

    /** Text of ASCII that needs no escape: a provider, a contract, a digest. */
    @SuppressWarnings("deprecation") // the shortest way from ASCII text into a row of bytes
    Output put(String ascii) {
        room(ascii.length());
        ascii.getBytes(0, ascii.length(), bytes, length);
        length += ascii.length();
        return this;
    }

    Output put(long number) {
        return put(Long.toString(number));
    }

    /** Any text, escaped as JSON wants it. */
    Output quote(String text) {
        return put(JsonStringEncoder.getInstance().quoteAsUTF8(text));
    }

    byte[] copy() {
        return Arrays.copyOf(bytes, length);
    }

    static byte[] big(long number) {
        byte[] octets = new byte[8];
        LONG.set(octets, 0, number);
        return octets;
    }

    static long big(byte[] octets) {
        return (long) LONG.get(octets, 0);
    }

    private void room(int more) {
        if (length + more > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, length + more));
        }
    }
}
