"""From the platforms: what came in, read strictly and said in our words."""
