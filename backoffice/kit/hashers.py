from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2(Argon2PasswordHasher):
    """Argon2id with OWASP's parameters: 19 MiB a check, where Django's take 100 MiB and eight threads.

    Each thread of a web process may check a password at the same time, in a container of limited memory.
    https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id
    """

    memory_cost = 19 * 1024  # KiB
    time_cost = 2
    parallelism = 1
