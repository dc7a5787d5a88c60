"""Translate the labels of models, so that a domain's models are plain and a new domain's are translated like the rest.

What a field's name, help and choices say in English is the key of the translation, whether it was written or made by
Django from a name (`quantity`, `created at`). Only the texts are replaced, by lazy ones, once all models are loaded: no
migration sees a difference, as these are equal without a language. `make messages` collects the same texts.
"""

from typing import Any

from django.apps import apps
from django.utils.choices import BaseChoiceIterator
from django.utils.translation import gettext_lazy
from simple_history.models import HistoricalChanges

# The texts that were replaced, by package. Texts that were lazy already are found in the source.
labels: dict[str, set[str]] = {"backoffice": set(), "content": set(), "syncer": set()}


def translate_labels() -> None:
    """Make the labels of our apps and models follow the reader's language."""
    for config in apps.get_app_configs():
        if (package := config.name.partition(".")[0]) in labels:
            config.verbose_name = translated(package, config.verbose_name)
    for model in apps.get_models():
        package = model.__module__.partition(".")[0]
        if package in labels and not issubclass(model, HistoricalChanges):
            _translate_model(package, model)


def _translate_model(package: str, model: Any) -> None:
    names = model._meta
    if "verbose_name_plural" not in names.original_attrs:
        names.verbose_name_plural = str(names.verbose_name_plural)  # Django's is lazy: the name and an s
    names.verbose_name = translated(package, names.verbose_name)
    names.verbose_name_plural = translated(package, names.verbose_name_plural)
    for _codename, name in names.permissions:
        translated(package, name)  # stored as it is; pages translate it
    for field in (*names.local_fields, *names.local_many_to_many):
        field.verbose_name = translated(package, field.verbose_name)
        field.help_text = translated(package, field.help_text)
        if field.choices and not isinstance(field.choices, BaseChoiceIterator):  # what a function returns stays
            field.choices = [(value, translated(package, label)) for value, label in field.choices]


def translated(package: str, text: Any) -> Any:
    """Return a text that is also a key, such as a label or a state, so that it follows the reader's language."""
    if not isinstance(text, str) or not text:
        return text
    labels[package].add(text)
    return gettext_lazy(text)
