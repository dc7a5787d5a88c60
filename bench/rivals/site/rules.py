"""What the settings of Django REST framework name."""

from rest_framework import pagination, permissions


class Permissions(permissions.DjangoModelPermissions):
    """Reading needs a permission too, as the guide suggests."""

    perms_map = {**permissions.DjangoModelPermissions.perms_map, "GET": ["%(app_label)s.view_%(model_name)s"]}


class Pages(pagination.CursorPagination):
    """The cheapest of its paginations: without a count, as our list."""

    page_size = 100
    ordering = "-id"
