"""The little Gaussian that heatmaps are smoothed with: at teaching in numpy, on the line in the
graph.

Promises: sums to 1.
Never: computes.
"""

KERNEL = (0.21, 0.58, 0.21)  # 0.7 cells, both ways
