"""What a platform needs to publish changes and consents on Kafka; `sanctuaire publish` is a thin shell around it.

Read `identifiers` for the keys, `delivery` for what is promised of a record, `changes` and `consents` for the rest.
"""
