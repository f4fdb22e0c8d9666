"""The platform's reads: is each account fit to publish, and why not."""
