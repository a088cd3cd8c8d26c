"""`PEERS_PYTHON -m ops.benchmarks.engines.quix_loop JOB`: Quix Streams as its guide shows it, with raw bytes.

It runs in an environment of its own (quix.py). `to_topic` cannot name a partition: its hash of the key does.
"""

from typing import Any

from quixstreams import Application
from quixstreams.models import Serializer

from ops.benchmarks.engines.job import Job, job_of_this_process
from ops.benchmarks.engines.step import Named, Step


class OwnBytes(Serializer):  # type: ignore[misc]  # of a library that is not in this environment
    """The value that the step has made already."""

    def __call__(self, value: Named, ctx: Any) -> bytes:  # noqa: ARG002  # Quix's signature
        return value.value


def main(job: Job) -> None:
    """Until it is ended from outside, at least once."""
    app = Application(
        job.bootstrap,
        consumer_group=job.group,
        auto_offset_reset="earliest",
        auto_create_topics=False,
        state_dir=job.folder,
        loglevel="WARNING",
        consumer_extra_config={"queued.min.messages": 100_000, "fetch.message.max.bytes": 4 << 20},
        producer_extra_config={
            "acks": "all",
            "linger.ms": 5,
            "batch.size": 1 << 20,
            "queue.buffering.max.messages": 1_000_000,
        },
    )
    releases = app.topic(job.input, key_deserializer="bytes", value_deserializer="bytes")
    operations = {
        name: app.topic(name, key_serializer="bytes", value_serializer=OwnBytes()) for name in job.outputs.values()
    }
    step = Step(job)
    frame = app.dataframe(releases).apply(step.take).filter(lambda named: named is not None)
    frame = frame.set_headers(lambda named, _key, _timestamp, _headers: [*named.headers])
    frame.to_topic(lambda named, _key, _timestamp, _headers: operations[named.topic], key=lambda named: named.key)
    app.run()


if __name__ == "__main__":
    main(job_of_this_process())
