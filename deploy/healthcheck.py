"""Docker's health check: request /health/ready/ of this container's web server, by a host name that it accepts."""

import os
import sys
import urllib.request


def main() -> int:
    names = os.environ.get("ALLOWED_HOSTS", "").split(",")[0].strip().lstrip(".")
    request = urllib.request.Request(
        "http://127.0.0.1:8000/health/ready/", headers={"Host": "localhost" if names in ("", "*") else names}
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(request, timeout=4):
            return 0
    except OSError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
