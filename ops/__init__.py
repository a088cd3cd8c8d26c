"""What operators run: the command line, the embedded broker, topics, policies, tools."""
