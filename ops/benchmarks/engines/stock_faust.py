"""`python -m ops.benchmarks.engines.stock_faust JOB`: Faust as its guide shows it, an agent with a table that sends."""

import sys

import faust
from faust.types import StreamT

from ops.benchmarks.engines.job import Job, job_of_this_process
from ops.benchmarks.engines.step import Step
from ops.benchmarks.workbench import PARTITIONS


def build(job: Job) -> faust.App:
    """At least once, as Faust is unless told otherwise."""
    app = faust.App(
        job.group,
        broker=f"kafka://{job.bootstrap}",
        datadir=job.folder,
        key_serializer="raw",
        value_serializer="raw",
        producer_acks=-1,
        consumer_auto_offset_reset="earliest",
        store="memory://",
        topic_disable_leader=True,
        web_enabled=False,
    )
    releases = app.topic(job.input, key_type=bytes, value_type=bytes)
    operations = {name: app.topic(name, key_type=bytes, value_type=bytes) for name in job.outputs.values()}
    step = Step(job, app.Table("seq", default=int, partitions=PARTITIONS))

    @app.agent(releases)
    async def pseudonymise(stream: StreamT[bytes]) -> None:
        async for event in stream.events():
            named = step.take(event.value, event.key)
            if named is not None:
                await operations[named.topic].send(
                    key=named.key,
                    value=named.value,
                    partition=named.partition(PARTITIONS),
                    headers=named.headers,  # type: ignore[arg-type]  # Faust takes any pairs
                )

    return app


if __name__ == "__main__":
    application = build(job_of_this_process())
    sys.argv = sys.argv[:1]
    faust.Worker(application, quiet=True, loglevel="warning").execute_from_commandline()
