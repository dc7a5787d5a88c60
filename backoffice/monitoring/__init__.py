"""What is seen of this program from outside: figures for Prometheus, errors for Sentry. See docs/monitoring.md."""
