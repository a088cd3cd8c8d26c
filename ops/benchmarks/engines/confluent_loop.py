"""`python -m ops.benchmarks.engines.confluent_loop JOB`: the practical limit in Python, at least once, no runtime."""

import time

from confluent_kafka import Consumer, KafkaException, Message, Producer

from ops.benchmarks.engines.job import Job, job_of_this_process
from ops.benchmarks.engines.step import Step
from ops.benchmarks.workbench import PARTITIONS

BATCH = 2_000
COMMIT_SECONDS = 1.0


def main(job: Job) -> None:
    """Until it is ended from outside: consume and produce; each second wait for all acknowledgements, and commit."""
    consumer = Consumer(
        {
            "bootstrap.servers": job.bootstrap,
            "group.id": job.group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "queued.min.messages": 100_000,
            "fetch.message.max.bytes": 4 << 20,
        }
    )
    producer = Producer(
        {
            "bootstrap.servers": job.bootstrap,
            "acks": "all",
            "linger.ms": 5,
            "batch.size": 1 << 20,
            "queue.buffering.max.messages": 1_000_000,
            "queue.buffering.max.kbytes": 1 << 20,
        }
    )
    consumer.subscribe([job.input])
    step, due, behind = Step(job), time.monotonic() + COMMIT_SECONDS, False
    while True:
        messages = consumer.consume(BATCH, timeout=0.1)
        _forward(messages, step, producer)
        behind |= bool(messages)
        if behind and time.monotonic() > due:
            producer.flush()
            consumer.commit(asynchronous=True)
            due, behind = time.monotonic() + COMMIT_SECONDS, False


def _forward(messages: list[Message], step: Step, producer: Producer) -> None:
    for message in messages:
        if error := message.error():
            raise KafkaException(error)
        named = step.take(message.value() or b"", message.key() or b"")
        if named is not None:
            partition = named.partition(PARTITIONS)
            producer.produce(named.topic, named.value, named.key, partition, headers=[*named.headers])
    producer.poll(0)


if __name__ == "__main__":
    main(job_of_this_process())
