"""Who is measured: ours, and the peers that do the same work. Each starts as a process of its own."""
