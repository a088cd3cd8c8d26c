"""What a platform needs to publish changes and consents on Kafka; `sanctuaire publish` is a thin shell around it.

Read `delivery` for what is promised of a record, `changes` and `consents` for the rest; the keys and the events are
those of `services.ingress`, which takes the same by HTTP.
"""
