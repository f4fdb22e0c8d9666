"""Under which names the signing secrets are encrypted; the one before the current one has a name of its own."""

SECRET_COLUMN = "webhook_secret"  # noqa: S105 - the name of a column
PREVIOUS_SECRET_COLUMN = "webhook_secret_before"  # noqa: S105 - the same
