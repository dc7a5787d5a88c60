"""Alerts: notify operators when a target becomes unhealthy, and when it is healthy again."""
