import static org.junit.Assert.assertEquals;

import org.junit.Test;

public class EventRingTest {
    @Test
    public void keepsOrderWhileFilling() {
        EventRing ring = new EventRing(3);
        ring.add(7);
        ring.add(8);
        assertEquals(2, ring.size());
        assertEquals(7, ring.get(0));
        assertEquals(8, ring.get(1));
    }

    @Test
    public void dropsTheOldest() {
        EventRing ring = new EventRing(3);
        for (int code = 1; code <= 5; code++) {
            ring.add(code);
        }
        assertEquals(3, ring.get(0));
        assertEquals(4, ring.get(1));
        assertEquals(5, ring.get(2));
    }

    @Test
    public void sizeStopsAtCapacity() {
        EventRing ring = new EventRing(2);
        for (int code = 0; code < 9; code++) {
            ring.add(code);
        }
        assertEquals(2, ring.size());
    }

    @Test
    public void capacityOfOne() {
        EventRing ring = new EventRing(1);
        ring.add(4);
        ring.add(6);
        assertEquals(6, ring.get(0));
    }

    @Test(expected = IndexOutOfBoundsException.class)
    public void indexIsChecked() {
        EventRing ring = new EventRing(3);
        ring.add(1);
        ring.get(1);
    }
}
