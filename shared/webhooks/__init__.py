"""Webhooks: what is to be sent to a tenant's own receivers, and when it is given up."""

from shared.webhooks.deliveries import NewDelivery, add_deliveries, delivery_job, message_body
from shared.webhooks.disable import WebhookEnd, disable_webhook
from shared.webhooks.receiver import check_receiver
from shared.webhooks.secrets import PREVIOUS_SECRET_COLUMN, SECRET_COLUMN

__all__ = [
    "PREVIOUS_SECRET_COLUMN",
    "SECRET_COLUMN",
    "NewDelivery",
    "WebhookEnd",
    "add_deliveries",
    "check_receiver",
    "delivery_job",
    "disable_webhook",
    "message_body",
]
