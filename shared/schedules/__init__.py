"""Schedules: rules in the wall clock of a zone, and the due times that follow from them."""
