"""Under which name does a provider know a person? Pure, but for the agent."""
