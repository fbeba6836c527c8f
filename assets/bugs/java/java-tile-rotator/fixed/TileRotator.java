/** Turns rectangular tile maps. */
public final class TileRotator {
    private TileRotator() {
    }

    /** The tiles turned by a quarter, clockwise. */
    public static int[][] clockwise(int[][] tiles) {
        int rows = tiles.length;
        int columns = tiles[0].length;
        int[][] turned = new int[columns][rows];
        for (int row = 0; row < columns; row++) {
            for (int column = 0; column < rows; column++) {
                turned[row][column] = tiles[rows - 1 - column][row];
            }
        }
        return turned;
    }
}
