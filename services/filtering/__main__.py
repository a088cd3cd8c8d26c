"""`python -m services.filtering`: the filter as a process."""

from services.filtering.agent import FilteringAgent
from services.runtime.stream import main

if __name__ == "__main__":
    main("filtering", lambda settings, policies: FilteringAgent(policies, settings.fresh_seconds))
