from typing import Any

from django.core.management.base import BaseCommand, CommandError

from backoffice.accounts.second_factor.models import SecondFactor
from backoffice.accounts.second_factor.service import SEALED_ELSEWHERE
from backoffice.kit.sealing import SealError, reseal


class Command(BaseCommand):
    help = "Seal with SECRET_KEY what older keys sealed; before one is removed from SECRET_KEY_FALLBACKS."

    def handle(self, *args: Any, **options: Any) -> None:
        lost = []
        for factor in SecondFactor.objects.all():
            try:
                sealed = reseal(factor.sealed)
            except SealError:
                lost.append(SEALED_ELSEWHERE % factor.pk)
                continue
            # Unless it was replaced meanwhile.
            SecondFactor.objects.filter(pk=factor.pk, sealed=factor.sealed).update(sealed=sealed)
        if lost:
            raise CommandError("\n".join(lost))
        self.stdout.write("All second factors are sealed with SECRET_KEY.")
