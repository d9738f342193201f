"""inspector: looks at every part on a line, decides in time, tells the outside only totals."""

__version__ = "0.1.0"
