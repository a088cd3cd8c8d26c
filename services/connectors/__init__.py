"""Tell the provider, and remember what it was told."""
