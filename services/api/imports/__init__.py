"""Imports of accounts."""
