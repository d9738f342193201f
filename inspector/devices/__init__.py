"""Floor 2: the outside world behind small seams. A room here never imports its neighbour."""
