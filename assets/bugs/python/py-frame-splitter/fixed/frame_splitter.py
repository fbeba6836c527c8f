def split_frames(data):
    """Split bytes into frames, each after its two-byte big-endian length."""
    frames = []
    position = 0
    while position < len(data):
        if position + 2 > len(data):
            raise ValueError("incomplete header")
        size = int.from_bytes(data[position : position + 2], "big")
        position += 2
        if position + size > len(data):
            raise ValueError("incomplete frame")
        frames.append(data[position : position + size])
        position += size
    return frames
