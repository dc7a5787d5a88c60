from django.contrib.auth.models import Group
from django.db import models

from backoffice.accounts.models import User


class SecondFactor(models.Model):
    """The authenticator app of an account."""

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="second_factor")
    sealed = models.TextField()  # the secret that the app has too, see `backoffice.kit.sealing`
    last_step = models.BigIntegerField()  # of the newest code that was used: it and older ones are refused

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.user)


class RecoveryCode(models.Model):
    """A code for whoever has lost the app. It is used once: its row is deleted."""

    user = models.ForeignKey(User, models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "digest"], name="second_factor_recovery_once")]

    def __str__(self) -> str:
        return f"{self.user}, {self.pk}"


class Demand(models.Model):
    """Members of the group have to have a second factor."""

    group = models.OneToOneField(Group, models.CASCADE, primary_key=True, related_name="second_factor_demand")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.group)
