import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;

import org.junit.Test;

public class PacketBuilderTest {
    @Test
    public void smallPayload() {
        assertArrayEquals(new byte[] {0, 3, 1, 2, 4, 7}, PacketBuilder.build(new byte[] {1, 2, 4}));
    }

    @Test
    public void emptyPayload() {
        assertArrayEquals(new byte[] {0, 0, 0}, PacketBuilder.build(new byte[0]));
    }

    @Test
    public void longPayload() {
        byte[] packet = PacketBuilder.build(new byte[300]);
        assertEquals(303, packet.length);
        assertEquals(1, packet[0]);
        assertEquals(44, packet[1]);
    }

    @Test
    public void payloadTooLong() {
        try {
            PacketBuilder.build(new byte[0x10000]);
        } catch (IllegalArgumentException e) {
            assertEquals("payload too long", e.getMessage());
            return;
        }
        throw new AssertionError("accepted");
    }
}
