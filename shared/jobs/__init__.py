"""Jobs on RabbitMQ: priorities, a retry ladder, dead letters. Product code adds jobs through the outbox."""

from shared.jobs.broker import BROKER_ERRORS, Session, keep_session, open_session, until_any
from shared.jobs.consumer import Consumer, Handler
from shared.jobs.envelope import EnvelopeError, Job, new_job, read_job, to_outbox
from shared.jobs.monitor import JobStats, job_monitor
from shared.jobs.options import (
    RETRY_STEPS_MS,
    JobOptions,
    covering_step_ms,
    create_critical_job_options,
    create_high_priority_job_options,
    create_low_priority_job_options,
    create_normal_job_options,
    create_very_low_priority_job_options,
    get_job_options_by_type,
)
from shared.jobs.outcomes import Again, Permanent, Transient
from shared.jobs.payloads import CheckAccount, CleanUp, Payload, PublishPublication
from shared.jobs.sender import NotSentError, Sender
from shared.jobs.topology import DEAD_QUEUE, OnMissing, TopologyError, declare_topology, restore_topology
from shared.jobs.types import SERVICE_OF, JobPriority, JobType

__all__ = [
    "BROKER_ERRORS",
    "DEAD_QUEUE",
    "RETRY_STEPS_MS",
    "SERVICE_OF",
    "Again",
    "CheckAccount",
    "CleanUp",
    "Consumer",
    "EnvelopeError",
    "Handler",
    "Job",
    "JobOptions",
    "JobPriority",
    "JobStats",
    "JobType",
    "NotSentError",
    "OnMissing",
    "Payload",
    "Permanent",
    "PublishPublication",
    "Sender",
    "Session",
    "TopologyError",
    "Transient",
    "covering_step_ms",
    "create_critical_job_options",
    "create_high_priority_job_options",
    "create_low_priority_job_options",
    "create_normal_job_options",
    "create_very_low_priority_job_options",
    "declare_topology",
    "get_job_options_by_type",
    "job_monitor",
    "keep_session",
    "new_job",
    "open_session",
    "read_job",
    "restore_topology",
    "to_outbox",
    "until_any",
]
