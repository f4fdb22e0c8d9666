"""The gateway's resources, one module each."""
