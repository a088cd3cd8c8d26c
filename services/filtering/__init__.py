"""May this provider know this, now? Pure rules, and the agent that asks them."""
