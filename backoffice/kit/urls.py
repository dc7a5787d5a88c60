"""Addresses of the admin's pages."""

from typing import Any

from django.contrib.admin.utils import quote
from django.db.models import Model
from django.urls import reverse


def admin_url(model: type[Model], page: str, *keys: Any) -> str:
    """Return the address of a page of the model's admin, such as `add`, or `change` with the key of an object."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=[quote(key) for key in keys])
