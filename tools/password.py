"""`make password`: give the administrator a new password, on both nodes."""

import sys

from tools import secret_file
from tools.nodes import RefusedError, both_nodes, manage, var_folder
from tools.secret_file import ADMIN_PASSWORD


def main() -> int:
    try:
        var = var_folder()
        if not secret_file.file(var).exists():
            raise RefusedError("There is no administrator yet; `make run` makes one.")
        password = secret_file.renew_admin_password(var)
        for node in both_nodes(var=var, secret=secret_file.load(var)):
            manage(node, "ensure_admin", "--reset", **{ADMIN_PASSWORD: password})
    except RefusedError as refusal:
        print(refusal, file=sys.stderr)
        return 1
    print(f"User name   admin\nPassword    {password}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
