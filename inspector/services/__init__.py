"""Floor 3: the processes. Each is one loop that joins rules (floor 1) to devices (floor 2)."""
