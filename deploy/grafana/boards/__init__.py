"""The four boards, in the order in which they link to each other."""

from deploy.grafana.boards.dependencies import DEPENDENCIES
from deploy.grafana.boards.overview import OVERVIEW
from deploy.grafana.boards.publishing import PUBLISHING
from deploy.grafana.boards.queues import QUEUES

BOARDS = (OVERVIEW, PUBLISHING, QUEUES, DEPENDENCIES)

__all__ = ["BOARDS", "DEPENDENCIES", "OVERVIEW", "PUBLISHING", "QUEUES"]
