from django.conf import settings
from django.db import models


class Failures(models.Model):
    """The failed sign-ins that are counted together; see `limits.Count`."""

    key = models.CharField(max_length=128, primary_key=True)
    number = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = verbose_name_plural = "failed sign-ins"
        default_permissions = ()

    def __str__(self) -> str:
        return self.key


class KnownAddress(models.Model):
    """An address from which an account signed in."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    address = models.GenericIPAddressField()
    seen_on = models.DateField()

    class Meta:
        verbose_name_plural = "known addresses"
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "address"], name="sign_in_known_once")]

    def __str__(self) -> str:
        return self.address
