import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;

import org.junit.Test;

public class TileRotatorTest {
    @Test
    public void square() {
        int[][] turned = TileRotator.clockwise(new int[][] {{1, 2}, {3, 4}});
        assertArrayEquals(new int[] {3, 1}, turned[0]);
        assertArrayEquals(new int[] {4, 2}, turned[1]);
    }

    @Test
    public void wideMap() {
        int[][] turned = TileRotator.clockwise(new int[][] {{1, 2, 3}, {4, 5, 6}});
        assertEquals(3, turned.length);
        assertArrayEquals(new int[] {4, 1}, turned[0]);
        assertArrayEquals(new int[] {5, 2}, turned[1]);
        assertArrayEquals(new int[] {6, 3}, turned[2]);
    }

    @Test
    public void fourTurnsRestoreTheMap() {
        int[][] tiles = {{1, 2, 3}, {4, 5, 6}};
        int[][] turned = tiles;
        for (int i = 0; i < 4; i++) {
            turned = TileRotator.clockwise(turned);
        }
        assertArrayEquals(tiles, turned);
    }

    @Test
    public void noColumns() {
        assertEquals(0, TileRotator.clockwise(new int[][] {{}, {}}).length);
    }
}
