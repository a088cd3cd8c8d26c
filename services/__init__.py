"""The services that stand between a school directory and those who want to read it."""
