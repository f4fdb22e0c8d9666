"""The processes of the round of checks: the one that is measured, and the platform that it asks."""
