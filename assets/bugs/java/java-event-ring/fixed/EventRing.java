/** Keeps the most recent event codes. */
public class EventRing {
    private final int[] slots;
    private int start;
    private int size;

    public EventRing(int capacity) {
        slots = new int[capacity];
    }

    public void add(int code) {
        if (size < slots.length) {
            slots[(start + size) % slots.length] = code;
            size++;
        } else {
            slots[start] = code;
            start = (start + 1) % slots.length;
        }
    }

    public int size() {
        return size;
    }

    /** The event at an index, 0 being the oldest one kept. */
    public int get(int index) {
        if (index < 0 || index >= size) {
            throw new IndexOutOfBoundsException("index " + index);
        }
        return slots[(start + index) % slots.length];
    }
}
