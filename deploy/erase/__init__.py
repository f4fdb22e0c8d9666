"""Erasing a user: nothing that is theirs stays in the database or among the media."""

from deploy.erase.count_rows import count_rows
from deploy.erase.erase_user import Erased, erase_user
from deploy.erase.find_user import User, find_user, list_users

__all__ = ["Erased", "User", "count_rows", "erase_user", "find_user", "list_users"]
