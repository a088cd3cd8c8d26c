"""The demonstration: two invented schools through the real services, and an independent reader's word on the result."""
