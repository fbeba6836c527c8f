/** Packs a payload as length, payload and checksum. */
public final class PacketBuilder {
    private static final int HEADER = 2;
    private static final int TRAILER = 1;

    private PacketBuilder() {
    }

    public static byte[] build(byte[] payload) {
        if (payload.length > 0xFFFF) {
            throw new IllegalArgumentException("payload too long");
        }
        byte[] packet = new byte[HEADER + payload.length];
        packet[0] = (byte) (payload.length >> 8);
        packet[1] = (byte) payload.length;
        byte checksum = 0;
        for (int i = 0; i < payload.length; i++) {
            packet[HEADER + i] = payload[i];
            checksum ^= payload[i];
        }
        packet[HEADER + payload.length] = checksum;
        return packet;
    }
}
