from django.db import models

from backoffice.accounts.models import User

SUBJECT_LENGTH = 255  # characters, OpenID Connect Core 1.0, section 2


class Identity(models.Model):
    """Who an account is at a provider. A name may pass to somebody else there; `subject` never does."""

    user = models.ForeignKey(User, models.CASCADE, related_name="identities")
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=SUBJECT_LENGTH)

    class Meta:
        verbose_name_plural = "identities"
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="oidc_identity_subject"),
            models.UniqueConstraint(fields=["user", "issuer"], name="oidc_identity_user"),
        ]

    def __str__(self) -> str:
        return f"{self.user} at {self.issuer}"
