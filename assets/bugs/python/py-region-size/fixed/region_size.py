def region_size(grid, row, col):
    """Number of cells connected to a cell that show the same character."""
    mark = grid[row][col]
    rows, cols = len(grid), len(grid[0])
    seen = {(row, col)}
    waiting = [(row, col)]
    while waiting:
        r, c = waiting.pop()
        for nr, nc in ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)):
            inside = 0 <= nr < rows and 0 <= nc < cols
            if inside and (nr, nc) not in seen and grid[nr][nc] == mark:
                seen.add((nr, nc))
                waiting.append((nr, nc))
    return len(seen)
