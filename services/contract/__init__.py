"""What flows between the services, in the order of the flow. Pure: reads no clock, opens nothing."""
