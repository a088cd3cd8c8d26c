"""One folder a kind of provider; none knows another."""
